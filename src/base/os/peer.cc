// Owners of sockets on this machine: see peer.h.

#include "base/os/peer.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "base/os/file.h"

namespace fh::base::os {
namespace {

constexpr std::size_t kTableBytesMax = 64 * 1024 * 1024;
constexpr unsigned kListening = 0x0A;  // TCP_LISTEN of the kernel's tcp_states.h

// An address as IPv6 bytes in network order, IPv4 as IPv4-mapped.
using Address = std::array<std::uint8_t, 16>;

Address mapped(std::span<const std::uint8_t, 4> v4) {
  Address out{};
  out[10] = out[11] = 0xFF;
  std::copy(v4.begin(), v4.end(), out.begin() + 12);
  return out;
}

std::optional<Address> parse_address(const std::string& text) {
  std::array<std::uint8_t, 4> v4{};
  if (inet_pton(AF_INET, text.c_str(), v4.data()) == 1) return mapped(v4);
  Address v6{};
  if (inet_pton(AF_INET6, text.c_str(), v6.data()) == 1) return v6;
  return std::nullopt;
}

bool is_loopback(const Address& address) {
  static constexpr Address kV6Loopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  if (address == kV6Loopback) return true;
  const Address v4_loopback = mapped(std::array<std::uint8_t, 4>{127, 0, 0, 0});
  return std::equal(address.begin(), address.begin() + 13, v4_loopback.begin());
}

struct SocketRow {
  Address local{};
  Address remote{};
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
  unsigned state = 0;
  std::uint32_t uid = 0;
  std::uint64_t inode = 0;
};

template <typename T>
bool number(std::string_view text, T& out, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end == text.data() + text.size();
}

// "0100007F:1F90": the address as 32-bit words in the machine's byte order, each printed as a
// number; then the port.
bool parse_endpoint(std::string_view text, Address& address, std::uint16_t& port) {
  const std::size_t colon = text.find(':');
  if (colon != 8 && colon != 32) return false;
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t word = 0; word * 8 < colon; ++word) {
    std::uint32_t value = 0;
    if (!number(text.substr(word * 8, 8), value, 16)) return false;
    std::memcpy(bytes.data() + word * 4, &value, sizeof value);
  }
  address = colon == 8 ? mapped(std::span<const std::uint8_t, 4>(bytes.data(), 4)) : bytes;
  return number(text.substr(colon + 1), port, 16);
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while ((at = line.find_first_not_of(' ', at)) != std::string_view::npos) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

std::optional<SocketRow> parse_row(std::string_view line) {
  const std::vector<std::string_view> words = words_of(line);
  SocketRow row;
  const bool good = words.size() >= 10 && parse_endpoint(words[1], row.local, row.local_port) &&
                    parse_endpoint(words[2], row.remote, row.remote_port) &&
                    number(words[3], row.state, 16) && number(words[7], row.uid, 10) &&
                    number(words[9], row.inode, 10);
  return good ? std::optional(row) : std::nullopt;
}

// The first row of either table for which `wanted` holds.
template <typename Wanted>
std::optional<SocketRow> find_row(Wanted wanted) {
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    const auto table = read_file(path, kTableBytesMax);
    if (!table) continue;
    std::string_view rest = *table;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const std::optional<SocketRow> row = parse_row(rest.substr(0, end));
      if (row && wanted(*row)) return row;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return std::nullopt;
}

std::string link_target(const std::string& path) {
  char target[4096];
  const ssize_t length = readlink(path.c_str(), target, sizeof target);
  return length > 0 ? std::string(target, static_cast<std::size_t>(length)) : std::string();
}

// Names in a folder that are numbers: process ids, descriptors.
std::vector<std::string> numbers_in(const std::string& folder) {
  std::vector<std::string> out;
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr) return out;
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') out.emplace_back(entry->d_name);
  }
  closedir(dir);
  return out;
}

bool holds_socket(const std::string& pid, const std::string& socket) {
  const std::string folder = fmt::format("/proc/{}/fd", pid);
  const std::vector<std::string> fds = numbers_in(folder);
  return std::any_of(fds.begin(), fds.end(), [&](const std::string& fd) {
    return link_target(folder + "/" + fd) == socket;
  });
}

PortOwner describe(const std::string& pid) {
  PortOwner owner;
  number(pid, owner.pid, 10);
  const std::string executable = link_target(fmt::format("/proc/{}/exe", pid));
  owner.same_program = !executable.empty() && executable == link_target("/proc/self/exe");
  owner.program = std::filesystem::path(executable).filename();
  if (owner.program.empty()) {
    if (auto name = read_file(fmt::format("/proc/{}/comm", pid), 256)) {
      owner.program = name->substr(0, name->find('\n'));
    }
  }
  return owner;
}

}  // namespace

std::int64_t uid_of_loopback_peer(const Endpoint& local, const Endpoint& peer) {
  const std::optional<Address> ours = parse_address(local.address);
  const std::optional<Address> theirs = parse_address(peer.address);
  if (!ours || !theirs || !is_loopback(*ours) || !is_loopback(*theirs)) return -1;
  // The client's own socket: seen from it, local and remote are swapped. Without an inode the
  // socket belongs to no process any more and the kernel prints user 0.
  const std::optional<SocketRow> row = find_row([&](const SocketRow& r) {
    return r.local == *theirs && r.local_port == peer.port && r.remote == *ours &&
           r.remote_port == local.port && r.inode != 0 && r.state != kListening;
  });
  return row ? static_cast<std::int64_t>(row->uid) : -1;
}

std::optional<PortOwner> owner_of_listening_port(std::uint16_t port) {
  const std::optional<SocketRow> row =
      find_row([&](const SocketRow& r) { return r.state == kListening && r.local_port == port; });
  if (!row) return std::nullopt;
  const std::string socket = fmt::format("socket:[{}]", row->inode);
  std::optional<PortOwner> found;
  // Roles of one Freehold share the listener; the supervisor, which the operator wants to know, is
  // the oldest.
  for (const std::string& pid : numbers_in("/proc")) {
    if (!holds_socket(pid, socket)) continue;
    PortOwner owner = describe(pid);
    if (!found || owner.pid < found->pid) found = std::move(owner);
  }
  return found;
}

}  // namespace fh::base::os
