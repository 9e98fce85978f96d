"""What does a built function answer, and what of its layer does that take? A program for any Python, of any processor.

Its arguments are the function's directory, its layer's, one that stands for the runtime's own packages, and the
handler's module. Standard input is a JSON list of events; the last line of standard output is a JSON object with the
`answers`, the files of the layer that were `loaded`, and the `machine`.
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
    answers = [handler(event, None) for event in json.load(sys.stdin)]
    files = [getattr(each, "__file__", None) or "" for each in list(sys.modules.values())]
    loaded = sorted(file.removeprefix(f"{layer}/") for file in files if file.startswith(f"{layer}/"))
    print(json.dumps({"answers": answers, "loaded": loaded, "machine": platform.machine()}))
