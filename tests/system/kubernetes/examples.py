"""Takes Envoy's part out of the examples for Kubernetes: EXAMPLE ENVOY_YAML DIRECTORY.

Writes DIRECTORY/bootstrap.json with the cluster, which must be that of ENVOY_YAML but for its address, and
DIRECTORY/filter.json with the plugin's configuration.
"""

import json
import sys

import yaml


def find(objects, kind):
    return next(document for document in objects if document["kind"] == kind)


example, gateway, directory = sys.argv[1:]
with open(example) as file:
    objects = list(yaml.safe_load_all(file))
if any(document["kind"] == "EnvoyProxy" for document in objects):
    cluster = find(objects, "EnvoyProxy")["spec"]["bootstrap"]["jsonPatches"][0]["value"]
    plugin = find(objects, "EnvoyExtensionPolicy")["spec"]["wasm"][0]
    assert plugin["failOpen"] is False
    configuration = plugin["config"]
    others = {"static_resources": {"clusters": [cluster]}}
else:
    patches = find(objects, "EnvoyFilter")["spec"]["configPatches"]
    cluster, manager = (patch["patch"]["value"] for patch in patches)
    plugin = find(objects, "WasmPlugin")["spec"]
    assert plugin["failStrategy"] == "FAIL_CLOSE"
    configuration = plugin["pluginConfig"]
    manager = manager["typed_config"] | {"stat_prefix": "gateway", "route_config": {"name": "gateway"}}
    router = {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    manager["http_filters"] = [{"name": "router", "typed_config": router}]
    listener = {
        "name": "gateway",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 8080}},
        "filter_chains": [{"filters": [{"name": "manager", "typed_config": manager}]}],
    }
    others = {"static_resources": {"clusters": [cluster], "listeners": [listener]}}

with open(gateway) as file:
    clusters = yaml.safe_load(file)["static_resources"]["clusters"]
ours = next(entry for entry in clusters if entry["name"] == cluster["name"])
address = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
assert address == {"address": "edgeward-companion-internal.edge.svc.cluster.local", "port_value": 5502}, address
assert {**cluster, "load_assignment": None} == {**ours, "load_assignment": None}, "differs from envoy/envoy.yaml"

text = json.dumps(configuration).replace("${FEED_SECRET}", "0123456789abcdef0123456789abcdef")
for name, content in [("bootstrap", json.dumps(others)), ("filter", text)]:
    with open(f"{directory}/{name}.json", "w") as file:
        file.write(content)
