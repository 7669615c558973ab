// The first process of a pod or of a node. It reaps orphans until it is told to end. With arguments it
// runs them as a command and ends with that, by the same code; all other processes of the process
// namespace end with it.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	child := start(os.Args[1:])
	for got := range signals {
		if got != syscall.SIGCHLD {
			return
		}
		reap(child)
	}
}

// start gives the number of the command's process, 0 without a command.
func start(command []string) int {
	if len(command) == 0 {
		return 0
	}
	run := exec.Command(command[0], command[1:]...)
	run.Stdout, run.Stderr = os.Stdout, os.Stderr
	if err := run.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return run.Process.Pid
}

func reap(child int) {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if pid <= 0 || err != nil {
			return
		}
		if pid == child {
			os.Exit(status.ExitStatus())
		}
	}
}
