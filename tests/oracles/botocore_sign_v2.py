"""Signs requests with botocore's older signers: one JSON object a line in, string to sign and signature a line out."""

import email.utils
import json
import sys
import time as real_time
import types

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = 0


class Query(botocore.auth.SigV2Auth):
    def calc_signature(self, request, params):
        self.seen = super().calc_signature(request, params)
        return self.seen


class Recorder:
    def sign_string(self, string_to_sign):
        self.seen = (string_to_sign, super().sign_string(string_to_sign))
        return self.seen[1]


class S3Headers(Recorder, botocore.auth.HmacV1Auth):
    pass


class S3Query(Recorder, botocore.auth.HmacV1QueryAuth):
    pass


botocore.auth.formatdate = lambda usegmt: email.utils.formatdate(NOW, usegmt=usegmt)
botocore.auth.time = types.SimpleNamespace(
    time=lambda: NOW, gmtime=lambda: real_time.gmtime(NOW), strftime=real_time.strftime
)

for line in sys.stdin:
    case = json.loads(line)
    NOW = case["time"]
    credentials = Credentials(case["access_key_id"], case["secret_access_key"], case["session_token"])
    if case["form"] == "query":
        place = "data" if case["in_body"] else "params"
        request = AWSRequest(method=case["method"], url=case["url"], **{place: dict(case["parameters"])})
        signer = Query(credentials)
    else:
        request = AWSRequest(method=case["method"], url=case["url"], auth_path=case["auth_path"])
        for name, value in case["headers"]:
            request.headers[name] = value
        if case["form"] == "s3-headers":
            signer = S3Headers(credentials)
        else:
            signer = S3Query(credentials, expires=case["expires"])
    signer.add_auth(request)
    print(json.dumps(signer.seen))
