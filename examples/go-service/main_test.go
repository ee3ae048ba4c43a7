package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestGreetsByName(t *testing.T) {
	answer := httptest.NewRecorder()
	routes().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/?name=Ada", nil))
	if !strings.Contains(answer.Body.String(), "Hello, Ada!") {
		t.Fatalf("unexpected answer: %s", answer.Body)
	}
}
