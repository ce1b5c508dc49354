// SPDX-License-Identifier: Apache-2.0
// The job's client of the AWS SDK for Go v2, with its upload manager.
package main

import (
	"bytes"
	"context"
	"io"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

type sdk struct{ s3 *s3.Client }

var (
	ctx    = context.Background()
	bucket = aws.String("sdk-go")
	colour = map[string]string{"colour": "blue"}
)

// newSDK takes everything from the environment of `pcloud env`, and AWS_CA_BUNDLE.
func newSDK() client {
	cfg, err := config.LoadDefaultConfig(ctx)
	must(err)
	return &sdk{s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })}
}

func (c *sdk) makeBucket() error {
	_, err := c.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket})
	return err
}

func (c *sdk) put(name string, body []byte, kind string) error {
	_, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &name, Body: bytes.NewReader(body), ContentType: &kind, Metadata: colour})
	return err
}

func (c *sdk) stream(name string, body io.Reader) error {
	_, err := manager.NewUploader(c.s3).Upload(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &name, Body: body})
	return err
}

func (c *sdk) get(name string) ([]byte, string, string, error) {
	out, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &name, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		return nil, "", "", err
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	return body, aws.ToString(out.ContentType), out.Metadata["colour"], err
}

func (c *sdk) list(prefix string) ([]string, error) {
	var names []string
	for pages := s3.NewListObjectsV2Paginator(c.s3, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: &prefix}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range page.Contents {
			names = append(names, *o.Key)
		}
	}
	return names, nil
}

func (c *sdk) copyTo(from, to string) error {
	_, err := c.s3.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: &to, CopySource: aws.String(*bucket + "/" + url.PathEscape(from))})
	return err
}

func (c *sdk) url(name string) (string, error) {
	signed, err := s3.NewPresignClient(c.s3).PresignGetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &name})
	if err != nil {
		return "", err
	}
	return signed.URL, nil
}

func (c *sdk) removeAll() error {
	names, err := c.list("")
	if err != nil {
		return err
	}
	for len(names) > 0 {
		n := min(1000, len(names))
		gone := &types.Delete{Quiet: aws.Bool(true)}
		for i := range n {
			gone.Objects = append(gone.Objects, types.ObjectIdentifier{Key: &names[i]})
		}
		out, err := c.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: gone})
		if err != nil {
			return err
		}
		if len(out.Errors) > 0 {
			panic(*out.Errors[0].Message)
		}
		names = names[n:]
	}
	_, err = c.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: bucket})
	return err
}
