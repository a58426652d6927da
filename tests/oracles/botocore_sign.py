"""Signs requests with botocore: one JSON object a line in, canonical request, string to sign and signature a line out.

With `--requests` the signed request comes out instead: its URL and its headers.
"""

import datetime
import json
import sys

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class Recorder:
    """Keeps what a signer computes on the way."""

    def canonical_request(self, request):
        self.seen_canonical_request = super().canonical_request(request)
        return self.seen_canonical_request

    def string_to_sign(self, request, canonical_request):
        self.seen_string_to_sign = super().string_to_sign(request, canonical_request)
        return self.seen_string_to_sign

    def signature(self, string_to_sign, request):
        self.seen_signature = super().signature(string_to_sign, request)
        return self.seen_signature


def recording(base):
    return type("Recording" + base.__name__, (Recorder, base), {})


SIGNERS = {
    ("headers", False): recording(botocore.auth.SigV4Auth),
    ("headers", True): recording(botocore.auth.S3SigV4Auth),
    ("query", False): recording(botocore.auth.SigV4QueryAuth),
    ("query", True): recording(botocore.auth.S3SigV4QueryAuth),
}


def main():
    now = None

    def frozen_clock(*_args, **_kwargs):
        return now

    botocore.auth.get_current_datetime = frozen_clock
    for line in sys.stdin:
        case = json.loads(line)
        now = datetime.datetime.fromtimestamp(case["time"], datetime.timezone.utc).replace(tzinfo=None)
        request = AWSRequest(method=case["method"], url=case["url"], data=case["body"].encode())
        for name, value in case["headers"]:
            request.headers[name] = value
        credentials = Credentials(case["access_key_id"], case["secret_access_key"], case["session_token"])
        arguments = {"expires": case["expires"]} if case["mode"] == "query" else {}
        signer = SIGNERS[case["mode"], case["s3"]](credentials, case["service"], case["region"], **arguments)
        signer.add_auth(request)
        if "--requests" in sys.argv:
            print(json.dumps([request.url, list(request.headers.items())]))
            continue
        print(json.dumps([signer.seen_canonical_request, signer.seen_string_to_sign, signer.seen_signature]))


main()
