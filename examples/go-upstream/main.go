// Service behind Edgeward, in Go: the gateway's header fields say who calls.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"strings"
)

// Identity is the caller of a request.
type Identity struct {
	User    string `json:"user"`
	Role    string `json:"role"`
	Session string `json:"session"`
}

// caller returns the caller, or nil if nobody is signed in.
func caller(r *http.Request) *Identity {
	identity := Identity{r.Header.Get("X-User-Id"), r.Header.Get("X-User-Role"), r.Header.Get("X-Session-Id")}
	if identity.User == "" || identity.Role == "" || identity.Session == "" {
		return nil
	}
	return &identity
}

func respond(w http.ResponseWriter, r *http.Request) {
	identity := caller(r)
	w.Header().Set("Content-Type", "application/json")
	if identity == nil && !strings.HasPrefix(r.URL.Path, "/public/") {
		w.WriteHeader(http.StatusUnauthorized)
	}
	if err := json.NewEncoder(w).Encode(identity); err != nil {
		log.Print(err)
	}
}

func setting(name, byDefault string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return byDefault
}

func main() {
	host, port := setting("HOST", "127.0.0.1"), setting("PORT", "3000")
	// Past the gateway, a client can claim any identity, and no request shows which way it came. So the service starts
	// only on 127.0.0.1, or where BEHIND_GATEWAY=yes states that the network lets only the gateway reach it.
	if host != "127.0.0.1" && os.Getenv("BEHIND_GATEWAY") != "yes" {
		log.Fatalf("HOST=%s is open to others: let only the gateway reach it, then set BEHIND_GATEWAY=yes", host)
	}
	log.Printf("listening on http://%s:%s", host, port)
	log.Fatal(http.ListenAndServe(host+":"+port, http.HandlerFunc(respond)))
}
