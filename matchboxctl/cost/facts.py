"""What a boot, a sync and an idle stack take: tests count it, or read it in the template; the rest says `estimated`.

A boot is `/boot.ipxe`, `/ipxe`, kernel, initramfs and a configuration, of a group without a boot policy whose profile,
group and template have up to 4 KB each, of one shape of selector.
"""

HOURS, DAYS = 730, 30
"""Of a month."""

REQUESTS, FILES = 3, 2
"""Of a boot: the responses of the function, and what lies in the bucket."""

READS, FILE_READS, FILE_HEADS = 9, 1, 1
"""Read units: for all requests of a boot, and for a file that the function redirects to, which takes a HEAD as well."""

REQUEST_LOG, FILE_LOG = 2_300, 700
"""Bytes of boot_api's log and metrics: for all requests of a boot, and for a redirected file."""

LAMBDA_LOG = 550
"""Bytes that Lambda itself logs of a call in two lines (estimated, after its documentation), but of boot_history."""

HISTORY_READS, HISTORY_WRITES = 6, 13
"""Units of DynamoDB for the two lines of a boot that name the machine, each handed over by itself."""

FILE_HISTORY = 1
"""Further units, of reads and of writes, for the script and for each redirected file, by the machine's address."""

HISTORY_BYTES = 2_000
"""That a boot leaves in the history's table and indexes for as long as it is kept (estimated)."""

MEMORY, HISTORY_MEMORY, SYNC_MEMORY = 1.0, 0.5, 2.0
"""GB of boot_api, boot_history and asset_sync."""

WARM, COLD, HISTORY_WARM, SYNC = 0.02, 1.0, 0.05, 1.0
"""Seconds of a call, of a start, of boot_history's call and of a run of asset_sync (estimated)."""

STARTS, STORM = DAYS * 24 * 12, 20
"""Boots that start an environment each, one every five minutes; of others one of so many does (estimated)."""

SYNCS_AN_HOUR = 1
"""Runs of asset_sync."""

SYNC_READS, SYNC_WRITES = 4, 1
"""Units of a run that finds nothing new."""

SYNC_LISTS = 2
"""LIST requests with which a run compares the copies for CloudFront (estimated: of up to a thousand files)."""

SCRIPT_BYTES = 20_000
"""Of a boot's requests and responses without files (estimated; examples/talos has a quarter of that)."""

RELEASES, COPIES = 3, 4
"""Releases of an image that are kept, and copies of them and of the current one for CloudFront."""

METRICS, ALARM_METRICS, DASHBOARDS = 8, 9, 1
"""Custom metrics, metrics of alarms, dashboards."""

ZONES = 2
"""That a balancer has an address in."""

CONNECTIONS_OF_A_UNIT, BYTES_OF_A_UNIT = 25 * 3600, 0.4e9
"""Of one of the balancer's capacity units in an hour, with Lambda behind it."""

ITEM_BYTES = 1_000
"""Of a node's group in the table (estimated)."""
