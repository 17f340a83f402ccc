// SPDX-License-Identifier: Apache-2.0

// Renders a Helm chart's templates with the functions of Go's text/template and no others:
// go run render_chart.go CHART_DIRECTORY <DATA.json
//
// DATA is what Helm gives to templates: Values, Release, Chart; ApiVersions are those that
// .Capabilities.APIVersions.Has knows. As with Helm, files that begin with "_" have definitions alone,
// and NOTES.txt is no manifest.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

type versions []string

func (known versions) Has(version string) bool {
	for _, each := range known {
		if each == version {
			return true
		}
	}
	return false
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	var data map[string]interface{}
	fail(json.NewDecoder(os.Stdin).Decode(&data))
	var known versions
	for _, each := range data["ApiVersions"].([]interface{}) {
		known = append(known, each.(string))
	}
	data["Capabilities"] = map[string]interface{}{"APIVersions": known}
	files, err := filepath.Glob(filepath.Join(os.Args[1], "templates", "*"))
	fail(err)
	all := template.New("chart").Option("missingkey=error")
	for _, file := range files {
		text, err := os.ReadFile(file)
		fail(err)
		_, err = all.New(filepath.Base(file)).Parse(string(text))
		fail(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasPrefix(name, "_") {
			continue
		}
		if filepath.Ext(name) != ".yaml" {
			fail(all.ExecuteTemplate(io.Discard, name, data))
			continue
		}
		fmt.Printf("---\n# Source: %s\n", name)
		fail(all.ExecuteTemplate(os.Stdout, name, data))
		fmt.Println()
	}
}
