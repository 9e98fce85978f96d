"""A program that runs a built function and reports its responses and what it loads of its layer.

Any Python on any processor runs it. Its arguments are the directories of the function, its layer and the runtime's
packages, and the handler's module. Standard input is a JSON list of events; the last line of standard output is a JSON
object with the `answers`, the layer's files that were `loaded`, and the `machine`.
"""

import importlib
import json
import platform
import sys

if __name__ == "__main__":
    function, layer, runtime, module = sys.argv[1:]
    # In Lambda's order: the function, its layers, the runtime.
    sys.path[1:1] = [function, layer]
    sys.path.append(runtime)
    handler = importlib.import_module(module).handler
    responses = [handler(event, None) for event in json.load(sys.stdin)]
    files = [getattr(each, "__file__", None) or "" for each in list(sys.modules.values())]
    loaded = sorted(file.removeprefix(f"{layer}/") for file in files if file.startswith(f"{layer}/"))
    print(json.dumps({"answers": responses, "loaded": loaded, "machine": platform.machine()}))
