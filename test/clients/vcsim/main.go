// govmomi's simulator of a vCenter, with its REST endpoints: a second server to hold the client tests and benchmarks
// against. Listens on the given address, with TLS unless -plain is given, prints `datastore ID` for the backing of
// libraries and `ready URL`, and serves until it is told to stop.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/vmware/govmomi/simulator"

	_ "github.com/vmware/govmomi/pbm/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "host and port; port 0 picks a free one")
	user := flag.String("user", "administrator@vsphere.local", "login name")
	password := flag.String("password", "", "login password; empty accepts any")
	plain := flag.Bool("plain", false, "serve without TLS, for measurements")
	flag.Parse()

	model := simulator.VPX()
	if err := model.Create(); err != nil {
		fmt.Fprintln(os.Stderr, "vcsim: cannot create the inventory:", err)
		os.Exit(1)
	}
	defer model.Remove()

	model.Service.Listen = &url.URL{Host: *listen, User: url.UserPassword(*user, *password)}
	scheme := "http"
	if !*plain {
		scheme = "https"
		model.Service.TLS = new(tls.Config)
	}
	model.Service.RegisterEndpoints = true
	server := model.Service.NewServer()
	defer server.Close()

	fmt.Printf("datastore %s\n", model.Map().Any("Datastore").Reference().Value)
	fmt.Printf("ready %s://%s\n", scheme, server.URL.Host)

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	<-stop
}
