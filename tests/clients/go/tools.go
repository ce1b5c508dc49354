//go:build tools

// SPDX-License-Identifier: Apache-2.0
// Keeps the programs that the tests build in go.mod.
package main

import _ "github.com/peak/s5cmd/v2"
