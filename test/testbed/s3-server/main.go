// An S3 server for tests: versitygw over a folder, with what its own command line adds left out, so
// that it builds in a minute.
//
//	s3-server ADDRESS DATA_FOLDER META_FOLDER
//
// The root account comes from ROOT_ACCESS_KEY and ROOT_SECRET_KEY. META_FOLDER keeps what goes into
// extended attributes where the file system has none.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

func main() {
	if err := serve(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(address, data, metadata string) error {
	backend, err := open(data, metadata)
	if err != nil {
		return err
	}
	stopped, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	return embedgw.RunVersityGW(stopped, backend, &embedgw.Config{
		Ports:             []string{address},
		MaxConnections:    1000,
		MaxRequests:       1000,
		MultipartMaxParts: 10000,
		RootUserAccess:    os.Getenv("ROOT_ACCESS_KEY"),
		RootUserSecret:    os.Getenv("ROOT_SECRET_KEY"),
		KeepAlive:         true,
		Quiet:             true,
	})
}

func open(data, metadata string) (*posix.Posix, error) {
	attributes := meta.XattrMeta{}
	if attributes.Test(data) == nil {
		return posix.New(data, attributes, posix.PosixOpts{})
	}
	sidecar, err := meta.NewSideCar(metadata)
	if err != nil {
		return nil, err
	}
	return posix.New(data, sidecar, posix.PosixOpts{SideCarDir: metadata})
}
