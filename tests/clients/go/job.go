// SPDX-License-Identifier: Apache-2.0
// The job by the AWS SDK for Go v2 or by minio-go: job sdk|minio FILES COUNT; endpoint, keys and CA from the environment.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
)

// client is what the job needs of either.
type client interface {
	makeBucket() error
	put(name string, body []byte, kind string) error // with metadata colour=blue and that type
	stream(name string, body io.Reader) error        // of unknown length, in parts
	get(name string) ([]byte, string, string, error) // content, type, colour
	list(prefix string) ([]string, error)
	copyTo(from, to string) error
	url(name string) (string, error)
	removeAll() error
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// same wants the object to be these bytes with that metadata.
func same(c client, name string, want []byte, kind, colour string) {
	got, gotKind, gotColour, err := c.get(name)
	must(err)
	if !bytes.Equal(got, want) {
		panic(fmt.Sprintf("%s: %d bytes, which differ from the %d put", name, len(got), len(want)))
	}
	if kind != "" && (gotKind != kind || gotColour != colour) {
		panic(fmt.Sprintf("%s: type %q, colour %q", name, gotKind, gotColour))
	}
}

func keys(c client, prefix string, count int) {
	got, err := c.list(prefix)
	must(err)
	if len(got) != count {
		panic(fmt.Sprintf("%d keys listed of %d", len(got), count))
	}
}

func main() {
	files := os.Args[2]
	count, err := strconv.Atoi(os.Args[3])
	must(err)
	var c client
	if os.Args[1] == "sdk" {
		c = newSDK()
	} else {
		c = newMinio()
	}
	must(c.makeBucket())
	var parts []byte
	for _, name := range []string{"empty", "one", "five", "parts"} {
		body, err := os.ReadFile(filepath.Join(files, name))
		must(err)
		must(c.put(name, body, "text/x-test"))
		same(c, name, body, "text/x-test", "blue")
		must(c.stream("s-"+name, io.MultiReader(bytes.NewReader(body))))
		same(c, "s-"+name, body, "", "")
		parts = body
	}
	names := []string{"sp ace", "pl+us", "per%41cent", "qu&e=s;t?#", "it's", "a//b", "ümläut/かな", "!*()"}
	for _, name := range names {
		must(c.put("n/"+name, []byte(name), "text/plain"))
		same(c, "n/"+name, []byte(name), "text/plain", "blue")
	}
	keys(c, "n/", len(names))
	for i := 0; i < count; i++ {
		must(c.put(fmt.Sprintf("many/%d", i), []byte("x"), "text/plain"))
	}
	keys(c, "many/", count)
	must(c.copyTo("parts", "co py+"))
	same(c, "co py+", parts, "text/x-test", "blue")
	url, err := c.url("co py+")
	must(err)
	reply, err := http.Get(url)
	must(err)
	defer reply.Body.Close()
	got, err := io.ReadAll(reply.Body)
	must(err)
	if !bytes.Equal(got, parts) {
		panic("presigned URL: " + reply.Status)
	}
	must(c.removeAll())
}
