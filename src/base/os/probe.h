#pragma once
// The probe: code that tries to get out, run inside a role's lock and without it. With the lock
// every attempt must be refused by this kernel; without it the same attempts succeed, which shows
// that the probe can tell. Used by `freehold doctor` and by the tests; nothing leaves the machine,
// all sockets go to a loopback listener of the probe.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/os/spawner.h"
#include "base/result.h"

namespace fh::base::os {

// The one attempt that must succeed inside a worker; every other must fail there.
inline constexpr const char* kProbeModelFile = "open the model file";

struct ProbeResult {
  std::string name;      // what was tried, in words; the table of names is in probe.cc
  bool allowed = false;  // the attempt succeeded
  std::string detail;    // "succeeded", or the text of the error it met
};

struct ProbeOptions {
  std::filesystem::path inside;   // a readable file that the lock allows
  std::filesystem::path outside;  // a readable file that it does not
  std::uint16_t port = 0;         // of a loopback listener (IPv4)
  int connected = -1;  // a TCP socket connected to it, or -1: those attempts are left out
};
// Runs in this process. Without a lock it starts short-lived children and needs SIGCHLD not
// ignored.
std::vector<ProbeResult> run_probe(const ProbeOptions& options);

enum class ProbeLock : std::uint8_t { None, Gateway, Worker };
struct ProbeReport {
  std::string level;  // LockLevel::text(), or "no lock"
  std::vector<ProbeResult> results;
};
// Starts our own binary as `--role=probe`, which enters the lock and runs the probe; makes the
// files and the listener it needs in a temporary folder and removes them. Takes well under a
// second; gives up after 30 s.
Result<ProbeReport> probe_in_child(const Spawner& spawner, ProbeLock lock);

// The entry of `--role=probe`; `args` are those after the program's name. Returns the exit code.
int probe_role_main(const std::vector<std::string>& args);

}  // namespace fh::base::os
