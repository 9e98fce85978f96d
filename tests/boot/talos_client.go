// Command talos_client downloads the machine configuration that talos.config= names, as Talos does: the same rules for
// variables and retries, with the HTTP client of Go.
//
// It reads the system below its argument (/ by default), writes the configuration to standard output, and what it does
// to standard error, as Talos does to the console.
package main

import (
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	attemptLimit = 3 * time.Minute
	limit        = 3 * time.Hour
	shown        = 32
	unnamed      = "(none)"
)

var files = map[string]string{
	"uuid":     "sys/class/dmi/id/product_uuid",
	"serial":   "sys/class/dmi/id/product_serial",
	"mac":      "sys/class/net/eth0/address",
	"hostname": "proc/sys/kernel/hostname",
}

func main() {
	root := "/"
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	address, err := populated(argument(root, "talos.config"), root)
	if err == nil {
		err = download(address)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// argument is the value of a kernel argument.
func argument(root, name string) string {
	line, _ := os.ReadFile(filepath.Join(root, "proc/cmdline"))
	for _, word := range strings.Fields(string(line)) {
		if value, found := strings.CutPrefix(word, name+"="); found {
			return value
		}
	}
	return ""
}

// populated replaces variables, in values of the query only. A query in which one was replaced is encoded anew, sorted;
// a variable without a value stays as it is.
func populated(address, root string) (string, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" {
		return "", fmt.Errorf("talos.config=%s is no address: %v", address, err)
	}
	query, replaced := parsed.Query(), false
	for key, values := range query {
		for index, value := range values {
			for name, file := range files {
				variable := "${" + name + "}"
				content, _ := os.ReadFile(filepath.Join(root, file))
				text := strings.TrimSpace(string(content))
				if text != "" && text != unnamed && strings.Contains(value, variable) {
					value, replaced = strings.ReplaceAll(value, variable, text), true
				}
			}
			query[key][index] = value
		}
	}
	if replaced {
		parsed.RawQuery = query.Encode()
	}
	return parsed.String(), nil
}

// download writes the configuration to standard output. Every status but 200 and 204 is tried again.
func download(address string) error {
	client := &http.Client{Timeout: attemptLimit}
	end := time.Now().Add(limit)
	for wait := time.Second; ; wait *= 2 {
		fmt.Fprintf(os.Stderr, "fetching machine config from: %q\n", address)
		body, err := attempt(client, address)
		if err == nil {
			_, err = os.Stdout.Write(body)
			return err
		}
		fmt.Fprintln(os.Stderr, "retrying:", err)
		if time.Now().After(end) {
			return err
		}
		time.Sleep(wait + time.Duration(rand.Int63n(int64(time.Second))))
	}
}

func attempt(client *http.Client, address string) ([]byte, error) {
	response, err := client.Get(address)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		return io.ReadAll(response.Body)
	case http.StatusNoContent:
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, shown))
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("status %d: %q", response.StatusCode, body)
}
