// SPDX-License-Identifier: Apache-2.0
// The job by the AWS SDK for JavaScript v3, from buffers and from streams. Usage: job_sdk.js FILES COUNT; endpoint and keys from the environment.
import assert from "node:assert/strict";
import fs from "node:fs";
import { Readable } from "node:stream";
import {
  CopyObjectCommand, CreateBucketCommand, DeleteBucketCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand,
  PutObjectCommand, S3Client, paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const [files, count] = [process.argv[2], Number(process.argv[3])];
const s3 = new S3Client({ endpoint: process.env.AWS_ENDPOINT_URL, region: process.env.AWS_DEFAULT_REGION, forcePathStyle: true });
const Bucket = "sdk-js";
const whole = (name) => fs.readFileSync(`${files}/${name}`);
const get = async (Key) => Buffer.from(await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body.transformToByteArray());
const equal = (got, want, what) => assert(got.equals(want), `${what}: ${got.length} bytes differ from ${want.length}`);

await s3.send(new CreateBucketCommand({ Bucket }));
const about = { Metadata: { colour: "blue" }, ContentType: "text/x-test" };
for (const name of ["empty", "one", "five", "parts"]) {
  await s3.send(new PutObjectCommand({ Bucket, Key: name, Body: whole(name), ...about }));
  equal(await get(name), whole(name), `${name} from a buffer`);
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: name, ChecksumMode: "ENABLED" }));
  assert.deepEqual([head.Metadata.colour, head.ContentType], ["blue", "text/x-test"]);
  assert(head.ChecksumCRC32, `${name} has no checksum`);
  await s3.send(new PutObjectCommand({ Bucket, Key: "s-" + name, Body: fs.createReadStream(`${files}/${name}`), ContentLength: whole(name).length }));
  equal(await get("s-" + name), whole(name), `${name} from a stream`);
  await new Upload({ client: s3, params: { Bucket, Key: "u-" + name, Body: Readable.from(whole(name)), ...about }, partSize: 5 << 20 }).done();
  equal(await get("u-" + name), whole(name), `${name} by lib-storage`);
}
await new Upload({ client: s3, params: { Bucket, Key: "sha", Body: fs.createReadStream(`${files}/parts`), ChecksumAlgorithm: "SHA256" }, partSize: 5 << 20 }).done();
equal(await get("sha"), whole("parts"), "parts with SHA-256");

const names = ["sp ace", "pl+us", "per%41cent", "qu&e=s;t?#", "it's", "a//b", "ümläut/かな", "!*()"];
for (const name of names) {
  await s3.send(new PutObjectCommand({ Bucket, Key: "n/" + name, Body: name }));
  equal(await get("n/" + name), Buffer.from(name), name);
}
const list = async (Prefix) => {
  const keys = [];
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket, Prefix })) keys.push(...(page.Contents ?? []).map((o) => o.Key));
  return keys;
};
assert.deepEqual((await list("n/")).sort(), names.map((n) => "n/" + n).sort());
for (let i = 0; i < count; i += 25)
  await Promise.all(Array.from({ length: Math.min(25, count - i) }, (_, j) => s3.send(new PutObjectCommand({ Bucket, Key: `many/${i + j}`, Body: "x" }))));
assert.equal((await list("many/")).length, count);

await s3.send(new CopyObjectCommand({ Bucket, Key: "co py+", CopySource: encodeURI(`${Bucket}/parts`) }));
equal(await get("co py+"), whole("parts"), "copy");
const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "co py+" }), { expiresIn: 60 });
equal(Buffer.from(await (await fetch(url)).arrayBuffer()), whole("parts"), "presigned GET");
const put = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "put" }), { expiresIn: 60 });
assert.equal((await fetch(put, { method: "PUT", body: whole("five") })).status, 200);
equal(await get("put"), whole("five"), "presigned PUT");

const keys = await list();
for (let i = 0; i < keys.length; i += 1000) {
  const gone = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.slice(i, i + 1000).map((Key) => ({ Key })) } }));
  assert.equal(gone.Errors, undefined);
}
await s3.send(new DeleteBucketCommand({ Bucket }));
