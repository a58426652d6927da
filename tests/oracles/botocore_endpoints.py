"""Prints the hosts that botocore's rules lead to: one JSON object a line, for each service, region and variant.

The services come as one JSON list of [name in hosts, name of the model] on the standard input.
"""

import json
import sys

from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from botocore.loaders import Loader


def parameters(rule_set, region, fips, dual_stack):
    given = {"Region": region, "UseFIPS": fips, "UseDualStack": dual_stack}
    for name, declared in rule_set["parameters"].items():
        if name not in given and "default" in declared:
            given[name] = declared["default"]
    # The one host for the whole world that S3 and STS had once is not asked for.
    if "UseGlobalEndpoint" in given:
        given["UseGlobalEndpoint"] = False
    return given


def main():
    loader = Loader()
    partitions = loader.load_data("partitions")
    for host_name, model in json.load(sys.stdin):
        rule_set = loader.load_service_model(model, "endpoint-rule-set-1")
        provider = EndpointProvider(rule_set, partitions)
        for partition in partitions["partitions"]:
            for region in partition["regions"]:
                if region.endswith("-global"):
                    continue
                for fips in (False, True):
                    for dual_stack in (False, True):
                        try:
                            arguments = parameters(rule_set, region, fips, dual_stack)
                            url = provider.resolve_endpoint(**arguments).url
                        except EndpointProviderError:
                            url = None
                        line = {
                            "service": host_name,
                            "partition": partition["id"],
                            "region": region,
                            "fips": fips,
                            "dual_stack": dual_stack,
                            "url": url,
                        }
                        print(json.dumps(line))


main()
