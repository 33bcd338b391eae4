"""A private S3 server for tests: moto on a free port, with one bucket and one key whose signatures it checks.

Prints `port access-key secret-key` once it is ready, and ends when its standard input does.
"""

import json
import sys

import boto3
from moto import settings
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
_, port = server.get_host_and_port()
endpoint = f"http://127.0.0.1:{port}"
root = {"endpoint_url": endpoint, "region_name": "us-east-1", "aws_access_key_id": "root", "aws_secret_access_key": "root"}
boto3.client("s3", **root).create_bucket(Bucket="lake")
iam = boto3.client("iam", **root)
iam.create_user(UserName="lake")
allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
iam.put_user_policy(UserName="lake", PolicyName="lake", PolicyDocument=json.dumps(allowed))
key = iam.create_access_key(UserName="lake")["AccessKey"]
# From now on every request has to be signed by that key.
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
print(port, key["AccessKeyId"], key["SecretAccessKey"], flush=True)
sys.stdin.read()
server.stop()
