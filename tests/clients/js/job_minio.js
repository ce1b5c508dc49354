// SPDX-License-Identifier: Apache-2.0
// The job by minio-js. Usage: job_minio.js FILES COUNT; endpoint and keys from the environment.
import assert from "node:assert/strict";
import fs from "node:fs";
import * as Minio from "minio";

const [files, count] = [process.argv[2], Number(process.argv[3])];
const url = new URL(process.env.AWS_ENDPOINT_URL);
const client = new Minio.Client({
  endPoint: url.hostname, port: Number(url.port), useSSL: url.protocol === "https:", region: process.env.AWS_DEFAULT_REGION,
  accessKey: process.env.AWS_ACCESS_KEY_ID, secretKey: process.env.AWS_SECRET_ACCESS_KEY, partSize: 5 << 20,
});
const bucket = "minio-js";
const whole = (name) => fs.readFileSync(`${files}/${name}`);
const get = async (name) => {
  const chunks = [];
  for await (const chunk of await client.getObject(bucket, name)) chunks.push(chunk);
  return Buffer.concat(chunks);
};
const list = async (prefix) => {
  const keys = [];
  for await (const o of client.listObjectsV2(bucket, prefix, true)) keys.push(o.name);
  return keys;
};
const equal = (got, want, what) => assert(got.equals(want), `${what}: ${got.length} bytes differ from ${want.length}`);

await client.makeBucket(bucket);
assert(await client.bucketExists(bucket));
for (const name of ["empty", "one", "five", "parts"]) {
  await client.fPutObject(bucket, name, `${files}/${name}`, { "Content-Type": "text/x-test", colour: "blue" });
  equal(await get(name), whole(name), name);
  const stat = await client.statObject(bucket, name);
  assert.deepEqual([stat.metaData.colour, stat.metaData["content-type"]], ["blue", "text/x-test"]);
  if (name === "empty") continue; // its stream of nothing is an upload completed without parts, which S3 refuses
  await client.putObject(bucket, "s-" + name, fs.createReadStream(`${files}/${name}`));
  equal(await get("s-" + name), whole(name), `${name} from a stream`);
}
const names = ["sp ace", "pl+us", "per%41cent", "qu&e=s;t?#", "it's", "a//b", "ümläut/かな"];
for (const name of names) {
  await client.putObject(bucket, "n/" + name, name);
  equal(await get("n/" + name), Buffer.from(name), name);
}
assert.deepEqual((await list("n/")).sort(), names.map((n) => "n/" + n).sort());
for (let i = 0; i < count; i += 25)
  await Promise.all(Array.from({ length: Math.min(25, count - i) }, (_, j) => client.putObject(bucket, `many/${i + j}`, "x")));
assert.equal((await list("many/")).length, count);

await client.copyObject(bucket, "co py+", `/${bucket}/parts`);
equal(await get("co py+"), whole("parts"), "copy");
const signed = await client.presignedGetObject(bucket, "co py+", 60);
equal(Buffer.from(await (await fetch(signed)).arrayBuffer()), whole("parts"), "presigned GET");
const policy = client.newPostPolicy();
policy.setBucket(bucket);
policy.setKey("posted");
policy.setExpires(new Date(Date.now() + 60000));
const { postURL, formData } = await client.presignedPostPolicy(policy);
const form = new FormData();
for (const [k, v] of Object.entries(formData)) form.append(k, v);
form.append("file", new Blob([whole("five")]));
assert.equal((await fetch(postURL, { method: "POST", body: form })).status, 204);
equal(await get("posted"), whole("five"), "POST form");

await client.removeObjects(bucket, await list(""));
await client.removeBucket(bucket);
