"""DynamoDB Local, AWS's own DynamoDB for tests, in memory.

It enforces what moto forgives: 25 items in a batch write, 100 in a transaction, 400 KB an item, idempotency tokens,
the rules of numbers; and it reports consumed capacity. It checks no signature, and the access key (letters and digits
only) and the region choose the database: another access key sees other tables.

By itself it listens on all addresses and has no option against it. `LoopbackDynamoDb` starts the same server through
AWS's own entry point, but sets the address and port of its listener first; a field of it is read by reflection for
that, so another version may need another way.
"""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.install import on_path, run
from tests.rigs.program import running, scratch_directory
from tests.rigs.service import REGION, Service

VERSION = "2.6.1"
JAVA_PACKAGE = "default-jdk-headless"
"""Debian's package of java and javac, of version 17 or later as DynamoDB Local asks."""

POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>lambda-matchbox</groupId>
  <artifactId>rig</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>com.amazonaws</groupId>
      <artifactId>DynamoDBLocal</artifactId>
      <version>{VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""

# It ends with its standard input, so that it never outlives the process that started it.
LAUNCHER = """
import com.amazonaws.services.dynamodbv2.local.main.ServerRunner;
import com.amazonaws.services.dynamodbv2.local.server.DynamoDBProxyServer;
import java.lang.reflect.Field;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

public final class LoopbackDynamoDb {
    public static void main(String[] arguments) throws Exception {
        DynamoDBProxyServer dynamodb = ServerRunner.createServerFromCommandLineArgs(arguments);
        Field field = DynamoDBProxyServer.class.getDeclaredField("server");
        field.setAccessible(true);
        ServerConnector connector = (ServerConnector) ((Server) field.get(dynamodb)).getConnectors()[0];
        connector.setHost("127.0.0.1");
        connector.setPort(0);
        dynamodb.start();
        System.out.println("PORT " + connector.getLocalPort());
        while (System.in.read() != -1) {
        }
        System.exit(0);
    }
}
"""


@contextmanager
def dynamodb_local() -> Iterator[Service]:
    """DynamoDB Local on a free port of 127.0.0.1, without tables."""
    java = on_path("java", JAVA_PACKAGE)
    installed = cached(f"dynamodb-local-{VERSION}", _install)
    with scratch_directory() as directory:
        arguments = [
            java,
            # Half the start-up time; what runs for seconds gains nothing from the optimising compiler.
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx1g",
            f"-Djava.library.path={installed}",
            "-cp",
            f"{installed}:{installed}/*",
            "LoopbackDynamoDb",
            "-inMemory",
            "-disableTelemetry",
        ]
        with running(arguments, directory, {"DDB_LOCAL_TELEMETRY": "0"}) as program:
            service = Service(
                endpoint=f"http://127.0.0.1:{program.printed_port()}",
                region=REGION,
                access_key="AKIAFAKE",
                secret_key="fake",
                session_token=None,
                pid=program.pid,
            )
            # The first request loads half of the server's classes: 0.4 s that belong to starting it.
            with closing(service.client("dynamodb")) as client:
                client.list_tables()
            yield service


def _install(directory: Path) -> None:
    maven, javac = on_path("mvn", "maven"), on_path("javac", JAVA_PACKAGE)
    sources = directory / "sources"
    sources.mkdir()
    (sources / "pom.xml").write_text(POM)
    (sources / "LoopbackDynamoDb.java").write_text(LAUNCHER)
    copy = ["dependency:copy-dependencies", f"-DoutputDirectory={directory}", "-DincludeScope=runtime"]
    run([maven, "-B", "-q", *copy], directory=sources)
    run(
        [javac, "-proc:none", "--release", "17", "-cp", f"{directory}/*", "-d", directory, "LoopbackDynamoDb.java"],
        directory=sources,
    )
    shutil.rmtree(sources)
