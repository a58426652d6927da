"""Signs requests with awscrt's SigV4A, and verifies our signature and its own over our string to sign.

The public key is derived here, by the published key derivation function, so that three parties have to agree. One JSON
object a line in; a line out: is ours verified, is awscrt's verified, is a changed text refused.
"""

import datetime
import hashlib
import hmac
import json
import sys
from urllib.parse import parse_qs, urlsplit

from awscrt import auth, http
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ALGORITHM = b"AWS4-ECDSA-P256-SHA256"


def public_key(access_key_id, secret_access_key):
    key = b"AWS4A" + secret_access_key.encode()
    for counter in range(1, 255):
        context = access_key_id.encode() + bytes([counter])
        fixed = (1).to_bytes(4, "big") + ALGORITHM + b"\x00" + context + (256).to_bytes(4, "big")
        candidate = int.from_bytes(hmac.new(key, fixed, hashlib.sha256).digest(), "big")
        if candidate <= ORDER - 2:
            return ec.derive_private_key(candidate + 1, ec.SECP256R1()).public_key()
    raise ValueError("no key")


def is_verified(key, signature, text):
    try:
        key.verify(bytes.fromhex(signature), text.encode(), ec.ECDSA(hashes.SHA256()))
        return True
    except InvalidSignature:
        return False


def sign(case):
    split = urlsplit(case["url"])
    headers = http.HttpHeaders([("host", case["host"])])
    for name, value in case["headers"]:
        headers.add(name, value)
    path = split.path + ("?" + split.query if split.query else "")
    request = http.HttpRequest(case["method"], path, headers)
    is_s3 = case["s3"]
    if case["in_query"]:
        body = auth.AwsSignedBodyValue.UNSIGNED_PAYLOAD if is_s3 else auth.AwsSignedBodyValue.EMPTY_SHA256
    else:
        body = hashlib.sha256(case["body"].encode()).hexdigest()
    kind = auth.AwsSignatureType
    body_header = auth.AwsSignedBodyHeaderType
    config = auth.AwsSigningConfig(
        algorithm=auth.AwsSigningAlgorithm.V4_ASYMMETRIC,
        signature_type=kind.HTTP_REQUEST_QUERY_PARAMS if case["in_query"] else kind.HTTP_REQUEST_HEADERS,
        credentials_provider=auth.AwsCredentialsProvider.new_static(
            case["access_key_id"], case["secret_access_key"], case["session_token"]
        ),
        region=case["region_set"],
        service=case["service"],
        date=datetime.datetime.fromtimestamp(case["time"], datetime.timezone.utc),
        use_double_uri_encode=not is_s3,
        should_normalize_uri_path=not is_s3,
        signed_body_value=body,
        signed_body_header_type=(
            body_header.X_AMZ_CONTENT_SHA_256 if is_s3 and not case["in_query"] else body_header.NONE
        ),
        expiration_in_seconds=case["expires"] if case["in_query"] else None,
    )
    signed = auth.aws_sign_request(request, config).result(60)
    if case["in_query"]:
        return parse_qs(urlsplit(signed.path).query)["X-Amz-Signature"][0]
    return dict(signed.headers)["Authorization"].rsplit("Signature=", 1)[1]


for line in sys.stdin:
    case = json.loads(line)
    key = public_key(case["access_key_id"], case["secret_access_key"])
    text = case["string_to_sign"]
    theirs = sign(case)
    print(
        json.dumps(
            [
                is_verified(key, case["signature"], text),
                is_verified(key, theirs, text),
                not is_verified(key, case["signature"], text + "x"),
            ]
        )
    )
