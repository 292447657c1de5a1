// Files, the data directory's lock, and what the process knows about itself and the machine.
#include "base/os/file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "base/os/dir_lock.h"
#include "base/os/process.h"

namespace fh::base::os {
namespace {

class FileTest : public testing::Test {
 protected:
  FileTest() {
    std::string path = std::filesystem::temp_directory_path() / "freehold-file-test-XXXXXX";
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    dir_ = path;
  }
  ~FileTest() override { std::filesystem::remove_all(dir_); }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(dir_), {}));
  }
  std::filesystem::path dir_;
};

TEST_F(FileTest, AtomicWriteReplacesWholeAndLeavesNothingElse) {
  const auto path = dir_ / "config";
  const mode_t before = umask(077);
  ASSERT_TRUE(write_file_atomically(path, "one", 0644));
  ASSERT_TRUE(write_file_atomically(path, "two and more", 0640));
  umask(before);
  EXPECT_EQ(read_file(path, 100).value(), "two and more");
  struct stat info{};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640U);
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FileTest, FailedWriteKeepsTheOldAndCleansUp) {
  std::filesystem::create_directory(dir_ / "taken");
  EXPECT_FALSE(write_file_atomically(dir_ / "taken", "x", 0600));  // a folder is in the way
  EXPECT_EQ(entries(), 1U);
  const auto status = write_file_atomically(dir_ / "missing" / "x", "x", 0600);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::NotFound);
}

TEST_F(FileTest, WhatIsNoFileStaysWhatItIs) {
  const auto path = dir_ / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const auto status = write_file_atomically(path, "x", 0600);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::AlreadyExists);
  struct stat info{};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_TRUE(S_ISFIFO(info.st_mode));
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FileTest, ReadingIsBounded) {
  ASSERT_TRUE(write_file_atomically(dir_ / "f", std::string(100'000, 'x'), 0600));
  EXPECT_EQ(read_file(dir_ / "f", 100'000).value().size(), 100'000U);
  EXPECT_EQ(read_file(dir_ / "f", 99'999).error().code, Code::OutOfRange);
  EXPECT_EQ(read_file(dir_ / "none", 1).error().code, Code::NotFound);
  EXPECT_FALSE(read_file("/proc/self/status", 100'000).value().empty());  // has no size
}

TEST_F(FileTest, FoldersAreMadeWithTheirParents) {
  ASSERT_TRUE(make_folders(dir_ / "a" / "b", 0700));
  ASSERT_TRUE(make_folders(dir_ / "a" / "b", 0700));
  ASSERT_TRUE(write_file_atomically(dir_ / "file", "", 0600));
  EXPECT_FALSE(make_folders(dir_ / "file", 0700));
  EXPECT_FALSE(make_folders(dir_ / "file" / "below", 0700));
  EXPECT_GT(free_disk_bytes(dir_).value(), 0U);
}

TEST_F(FileTest, UserFoldersFollowTheSpecification) {
  setenv("HOME", "/home/somebody", 1);
  unsetenv("XDG_DATA_HOME");
  setenv("XDG_CONFIG_HOME", "relative/is/ignored", 1);
  EXPECT_EQ(user_data_dir().value(), "/home/somebody/.local/share/freehold");
  EXPECT_EQ(user_config_dir().value(), "/home/somebody/.config/freehold");
  setenv("XDG_DATA_HOME", "/data", 1);
  EXPECT_EQ(user_data_dir().value(), "/data/freehold");
  unsetenv("XDG_DATA_HOME");
  unsetenv("XDG_CONFIG_HOME");
}

TEST_F(FileTest, DirectoryLockIsExclusiveAndNamesItsHolder) {
  {
    const auto first = DirLock::acquire(dir_);
    ASSERT_TRUE(first);
    const auto second = DirLock::acquire(dir_);  // flock is per open file: also within one process
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::FailedPrecondition);
    EXPECT_EQ(second.error().message, "the data folder " + dir_.string() +
                                          " is in use by another Freehold (process " +
                                          std::to_string(getpid()) + ")");
    EXPECT_EQ(read_file(dir_ / "lock", 100).value(), std::to_string(getpid()) + "\n");
  }
  EXPECT_TRUE(DirLock::acquire(dir_));  // the file left behind blocks nobody
  EXPECT_EQ(DirLock::acquire(dir_ / "none").error().code, Code::NotFound);
}

TEST(Process, SignalsAreQueuedNotDelivered) {
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  SignalQueue queue = SignalQueue::watch({SIGHUP, SIGUSR1}).value();
  EXPECT_FALSE(queue.next().has_value());
  kill(getpid(), SIGUSR1);
  kill(getpid(), SIGHUP);
  EXPECT_EQ(queue.next(), SIGHUP);  // lowest number first
  EXPECT_EQ(queue.next(), SIGUSR1);
  EXPECT_FALSE(queue.next().has_value());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(Process, MemoryGrowsWithWhatIsTouched) {
  const ResidentMemory memory;
  const std::uint64_t before = memory.bytes();
  EXPECT_GT(before, 100'000U);
  std::string touched(64 * 1024 * 1024, 'x');
  // Without a use of every page a compiler may leave the whole string out.
  for (std::size_t at = 0; at < touched.size(); at += 4096) {
    static_cast<volatile char*>(touched.data())[at] = 'y';
  }
  EXPECT_GT(memory.bytes(), before + touched.size() / 2);
}

TEST(Process, ThreadsAreCounted) {
  const std::size_t before = thread_count();
  EXPECT_GE(before, 1U);
  std::atomic<bool> stop{false};
  std::thread other([&] { stop.wait(false); });
  EXPECT_EQ(thread_count(), before + 1);
  stop = true;
  stop.notify_one();
  other.join();
}

TEST(Process, TheMachineIsDescribed) {
  const SystemFacts facts = system_facts();
  EXPECT_GE(facts.cores_usable, 1U);
  EXPECT_GT(facts.memory_bytes, 100'000'000U);
  EXPECT_LE(facts.memory_free_bytes, facts.memory_bytes);
  EXPECT_FALSE(facts.kernel.empty());
#ifdef __x86_64__
  EXPECT_FALSE(facts.cpu_model.empty());
  EXPECT_FALSE(facts.cpu_flags.empty());
#endif
  EXPECT_GE(raise_open_files_limit(), 256U);
}

}  // namespace
}  // namespace fh::base::os
