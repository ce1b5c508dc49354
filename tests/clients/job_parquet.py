# SPDX-License-Identifier: Apache-2.0
# Parquet over s3:// by pandas with s3fs, pyarrow, polars and DuckDB: each writes, and reads what another wrote, by a filter.
"""Usage: job_parquet.py ENDPOINT [CA]"""

import os
import sys

import duckdb
import duckdb_extension_httpfs
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs
import pyarrow.parquet as pq
import s3fs

endpoint = sys.argv[1]
ca = sys.argv[2] if len(sys.argv) > 2 and sys.argv[2] else None
key, secret, region = (os.environ["AWS_" + n] for n in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "DEFAULT_REGION"))
rows = 400_000
frame = pd.DataFrame({"n": range(rows), "name": [f"row {i % 977}" for i in range(rows)], "half": [i / 2 for i in range(rows)]})
wanted = frame[(frame.n >= 123_456) & (frame.n < 123_466)].reset_index(drop=True)


def check(got, who):
    got = got.sort_values("n").reset_index(drop=True)[["n", "name", "half"]]
    pd.testing.assert_frame_equal(got, wanted, check_dtype=False)
    print("ok", who, flush=True)


files = s3fs.S3FileSystem(key=key, secret=secret, endpoint_url=endpoint, client_kwargs={"region_name": region, "verify": ca or True})
files.mkdir("lake")
storage = {"key": key, "secret": secret, "endpoint_url": endpoint, "client_kwargs": {"region_name": region, "verify": ca or True}}
where = [("n", ">=", 123_456), ("n", "<", 123_466)]
frame.to_parquet("s3://lake/pandas file.parquet", row_group_size=20_000, storage_options=storage)
check(pd.read_parquet("s3://lake/pandas file.parquet", filters=where, storage_options=storage), "pandas")
with files.open("lake/copy+1.parquet", "wb") as out, files.open("lake/pandas file.parquet", "rb") as source:
    out.write(source.read())
assert sorted(files.ls("lake")) == ["lake/copy+1.parquet", "lake/pandas file.parquet"], files.ls("lake")
files.mv("lake/copy+1.parquet", "lake/a=1/moved.parquet")

arrow = pa.fs.S3FileSystem(
    access_key=key, secret_key=secret, region=region, endpoint_override=endpoint.split("://")[1], scheme=endpoint.split("://")[0],
    **({"tls_ca_file_path": ca} if ca else {}),
)
table = pa.Table.from_pandas(frame)
pq.write_table(table, "lake/arrow.parquet", filesystem=arrow, row_group_size=20_000)
check(pq.read_table("lake/arrow.parquet", filesystem=arrow, filters=where).to_pandas(), "pyarrow")
table = table.append_column("part", pa.array([i % 3 for i in range(rows)]))
ds.write_dataset(table, "lake/parts", filesystem=arrow, format="parquet", partitioning=["part"], partitioning_flavor="hive")
check(ds.dataset("lake/parts", filesystem=arrow, partitioning="hive").to_table(filter=(ds.field("n") >= 123_456) & (ds.field("n") < 123_466)).to_pandas(), "pyarrow dataset")

options = {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_region": region, "aws_endpoint_url": endpoint}
if not ca:
    options["aws_allow_http"] = "true"
few = pl.col("n").is_between(123_456, 123_465)
pl.from_pandas(frame).write_parquet("s3://lake/polars.parquet", storage_options=options, row_group_size=20_000)
check(pl.scan_parquet("s3://lake/polars.parquet", storage_options=options).filter(few).collect().to_pandas(), "polars")
check(pl.scan_parquet("s3://lake/parts/**/*.parquet", storage_options=options).filter(few).collect().to_pandas(), "polars by glob")

extension = os.path.join(os.path.dirname(duckdb_extension_httpfs.__file__), "extensions", "v" + duckdb.__version__, "httpfs.duckdb_extension")
db = duckdb.connect()
db.execute(f"LOAD '{extension}'")
if ca:
    db.execute(f"SET ca_cert_file = '{ca}'")
db.execute(
    f"CREATE SECRET (TYPE s3, KEY_ID '{key}', SECRET '{secret}', REGION '{region}', ENDPOINT '{endpoint.split('://')[1]}', "
    f"URL_STYLE 'path', USE_SSL {'true' if ca else 'false'})"
)
db.execute("COPY frame TO 's3://lake/duck.parquet' (FORMAT parquet, ROW_GROUP_SIZE 20000)")
for name in ("duck.parquet", "polars.parquet", "pandas file.parquet", "parts/*/*.parquet"):
    check(db.execute(f"SELECT n, name, half FROM read_parquet('s3://lake/{name}') WHERE n BETWEEN 123456 AND 123465").df(), "DuckDB: " + name)
check(pd.read_parquet("s3://lake/duck.parquet", filters=where, storage_options=storage), "pandas of DuckDB's")

files.rm("lake", recursive=True)
