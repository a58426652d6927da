"""Makes a user with all permissions on the server at sys.argv[1], and prints its access key and secret key."""
import json
import sys

import boto3
from botocore.config import Config

iam = boto3.client(
    "iam",
    endpoint_url=sys.argv[1],
    region_name="us-east-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
    config=Config(connect_timeout=5, read_timeout=20),
)
everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
iam.create_user(UserName="integration")
iam.put_user_policy(UserName="integration", PolicyName="everything", PolicyDocument=json.dumps(everything))
key = iam.create_access_key(UserName="integration")["AccessKey"]
print(key["AccessKeyId"], key["SecretAccessKey"])
