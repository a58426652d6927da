"""Presigned POST by botocore: one JSON object a line in; its fields, its policy, and its signature of our policy a line out."""

import base64
import datetime
import json
import sys

import botocore.auth
import botocore.session
import botocore.signers
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

SESSION = botocore.session.get_session()
CLIENTS = {}


def client(case):
    names = ("access_key_id", "secret_access_key", "session_token", "region")
    key = tuple(case[name] for name in names)
    if key not in CLIENTS:
        CLIENTS[key] = SESSION.create_client(
            "s3",
            region_name=case["region"],
            aws_access_key_id=case["access_key_id"],
            aws_secret_access_key=case["secret_access_key"],
            aws_session_token=case["session_token"],
            config=Config(signature_version="s3v4"),
        )
    return CLIENTS[key]


def main():
    now = None

    def frozen_clock(*_args, **_kwargs):
        return now

    botocore.auth.get_current_datetime = frozen_clock
    botocore.signers.get_current_datetime = frozen_clock
    for line in sys.stdin:
        case = json.loads(line)
        now = datetime.datetime.fromtimestamp(case["time"], datetime.timezone.utc).replace(tzinfo=None)
        fields = client(case).generate_presigned_post(
            case["bucket"],
            case["key"],
            Fields=dict(case["fields"]),
            Conditions=case["conditions"],
            ExpiresIn=case["expires"],
        )["fields"]
        policy = json.loads(base64.b64decode(fields["policy"]))
        credentials = Credentials(case["access_key_id"], case["secret_access_key"], case["session_token"])
        request = AWSRequest()
        request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
        signer = botocore.auth.S3SigV4PostAuth(credentials, "s3", case["region"])
        print(json.dumps([fields, policy, signer.signature(case["policy"], request)]))


main()
