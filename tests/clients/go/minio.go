// SPDX-License-Identifier: Apache-2.0
// The job's client of minio-go.
package main

import (
	"bytes"
	"io"
	"net/url"
	"os"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

type minioGo struct{ *minio.Client }

const minioBucket = "minio-go"

// newMinio takes everything from the environment of `pcloud env`; the CA from SSL_CERT_FILE.
func newMinio() client {
	endpoint, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	must(err)
	c, err := minio.New(endpoint.Host, &minio.Options{Creds: credentials.NewEnvAWS(), Secure: endpoint.Scheme == "https", Region: os.Getenv("AWS_DEFAULT_REGION")})
	must(err)
	return &minioGo{c}
}

func (c *minioGo) makeBucket() error {
	return c.MakeBucket(ctx, minioBucket, minio.MakeBucketOptions{})
}

func (c *minioGo) put(name string, body []byte, kind string) error {
	_, err := c.PutObject(ctx, minioBucket, name, bytes.NewReader(body), int64(len(body)), minio.PutObjectOptions{ContentType: kind, UserMetadata: colour})
	return err
}

func (c *minioGo) stream(name string, body io.Reader) error {
	_, err := c.PutObject(ctx, minioBucket, name, body, -1, minio.PutObjectOptions{PartSize: 5 << 20})
	return err
}

func (c *minioGo) get(name string) ([]byte, string, string, error) {
	o, err := c.GetObject(ctx, minioBucket, name, minio.GetObjectOptions{})
	if err != nil {
		return nil, "", "", err
	}
	defer o.Close()
	body, err := io.ReadAll(o)
	if err != nil {
		return nil, "", "", err
	}
	stat, err := o.Stat()
	return body, stat.ContentType, stat.UserMetadata["Colour"], err
}

func (c *minioGo) list(prefix string) ([]string, error) {
	var names []string
	for o := range c.ListObjects(ctx, minioBucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			return nil, o.Err
		}
		names = append(names, o.Key)
	}
	return names, nil
}

func (c *minioGo) copyTo(from, to string) error {
	_, err := c.CopyObject(ctx, minio.CopyDestOptions{Bucket: minioBucket, Object: to}, minio.CopySrcOptions{Bucket: minioBucket, Object: from})
	return err
}

func (c *minioGo) url(name string) (string, error) {
	signed, err := c.PresignedGetObject(ctx, minioBucket, name, time.Minute, nil)
	if err != nil {
		return "", err
	}
	return signed.String(), nil
}

func (c *minioGo) removeAll() error {
	for failed := range c.RemoveObjects(ctx, minioBucket, c.ListObjects(ctx, minioBucket, minio.ListObjectsOptions{Recursive: true}), minio.RemoveObjectsOptions{}) {
		return failed.Err
	}
	return c.RemoveBucket(ctx, minioBucket)
}
