// The event loop: an Asio io_context for sockets and posted work, and a timer queue of our own on
// top, because the simulation needs timers on a manual clock in an order that depends on nothing
// but (time, sequence). In production one real timer rings for the earliest entry; it is moved only
// when an earlier entry arrives, so that setting and cancelling a deadline usually costs no system
// call.

#include "net/runtime.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

#include "base/check.h"
#include "net/runtime_impl.h"

namespace fh::net {
namespace {

constexpr auto kLookFor = std::chrono::microseconds(50);
constexpr int kLookingPaysMax = 8;
constexpr unsigned kLookEvery = 16;  // when it does not pay: whether it does again

void report_exception(const std::exception_ptr& error, const char* where) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    FH_BUG(std::string(where) + ": " + e.what());
  } catch (...) {
    FH_BUG(std::string(where) + ": unknown exception");
  }
}

}  // namespace

Runtime::Impl::Impl(base::Clock& real_clock, base::ManualClock* manual_clock)
    : clock(real_clock),
      manual(manual_clock),
      work(boost::asio::make_work_guard(io)),
      real_timer(io) {}

Runtime::Impl::~Impl() = default;

Runtime::TimerId Runtime::Impl::add_timer(base::TimePoint when, std::function<void()> fn) {
  const TimerId id = ++last_timer;
  timers.emplace(TimerKey{when, id}, std::move(fn));
  timer_times.emplace(id, when);
  if (manual == nullptr && when < armed_for) arm();
  return id;
}

void Runtime::Impl::cancel_timer(TimerId id) {
  const auto it = timer_times.find(id);
  if (it == timer_times.end()) return;
  timers.erase(TimerKey{it->second, id});
  timer_times.erase(it);
}

void Runtime::Impl::arm() {
  if (closing || timers.empty()) return;
  armed_for = timers.begin()->first.when;
  real_timer.expires_at(armed_for);
  real_timer.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    armed_for = base::TimePoint::max();
    fire_due();
    if (!timers.empty() && timers.begin()->first.when < armed_for) arm();
  });
}

std::size_t Runtime::Impl::fire_due() {
  std::size_t fired = 0;
  const base::TimePoint now = clock.now();
  // An entry added by a callback for the past waits for the next round: this loop ends.
  const TimerId newest = last_timer;
  auto it = timers.begin();
  while (it != timers.end() && it->first.when <= now) {
    if (it->first.id > newest) {
      ++it;
      continue;
    }
    auto fn = std::move(it->second);
    timer_times.erase(it->first.id);
    timers.erase(it);
    fn();
    ++fired;
    it = timers.begin();
  }
  return fired;
}

ParkedOp* Runtime::Impl::adopt(std::unique_ptr<ParkedOp> op) {
  op->index_ = parked.size();
  parked.push_back(std::move(op));
  return parked.back().get();
}

void Runtime::Impl::resume(ParkedOp* op, bool value) {
  const std::size_t index = op->index_;
  FH_CHECK(index < parked.size() && parked[index].get() == op);
  const std::unique_ptr<ParkedOp> owned = std::move(parked[index]);
  if (index + 1 != parked.size()) {
    parked[index] = std::move(parked.back());
    parked[index]->index_ = index;
  }
  parked.pop_back();
  owned->complete(value);
}

// Waking a thread on a core that sleeps costs tens of microseconds on a virtual machine, twice for
// every message to a worker and back. After it has done something the loop therefore looks again
// for a moment before it sleeps, as long as that has lately found something.
void Runtime::Impl::run() {
  base::TimePoint look_until{};
  while (!io.stopped()) {
    if (io.poll() > 0) {
      if (look_until != base::TimePoint{})
        looking_pays = std::min(looking_pays + 1, kLookingPaysMax);
      look_until = clock.now() +
                   (looking_pays > 0 || ++rests % kLookEvery == 0 ? kLookFor : base::Duration{});
      continue;
    }
    if (clock.now() < look_until) continue;
    if (look_until != base::TimePoint{}) looking_pays = std::max(looking_pays - 1, 0);
    look_until = {};
    io.run_one();
  }
}

Runtime::Runtime(base::Clock& clock) : impl_(std::make_unique<Impl>(clock, nullptr)) {}
Runtime::Runtime(base::ManualClock& clock) : impl_(std::make_unique<Impl>(clock, &clock)) {}

Runtime::~Runtime() {
  abandon();
}

void Runtime::abandon() {
  if (impl_->closed.exchange(true)) return;
  while (impl_->posting.load() > 0) std::this_thread::yield();
  impl_->closing = true;
  auto timers = std::move(impl_->timers);
  impl_->timers.clear();
  impl_->timer_times.clear();
  timers.clear();
  while (!impl_->parked.empty()) {
    const auto op = std::move(impl_->parked.back());
    impl_->parked.pop_back();
  }
  impl_->io.close();
}

base::Clock& Runtime::clock() const {
  return impl_->clock;
}

void Runtime::run() {
  FH_CHECK(impl_->manual == nullptr);
  for (;;) {
    try {
      impl_->run();
      return;
    } catch (...) {
      report_exception(std::current_exception(), "event loop");
    }
  }
}

void Runtime::stop() {
  impl_->io.stop();
}

// The count is raised before the flag is read, and the flag set before the count is read: one of
// the two sides sees the other.
void Runtime::post(std::function<void()> fn) {
  struct Inside {
    std::atomic<int>& count;
    explicit Inside(std::atomic<int>& c) : count(c) { ++count; }
    ~Inside() { --count; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
  };
  const Inside inside(impl_->posting);
  if (impl_->closed.load()) return;
  boost::asio::post(impl_->io, std::move(fn));
}

void Runtime::spawn(Task<void> task) {
  boost::asio::co_spawn(impl_->io, std::move(task), [](const std::exception_ptr& error) {
    if (error) report_exception(error, "coroutine");
  });
}

Runtime::TimerId Runtime::call_at(base::TimePoint when, std::function<void()> fn) {
  return impl_->add_timer(when, std::move(fn));
}

void Runtime::cancel_timer(TimerId id) {
  impl_->cancel_timer(id);
}

Task<void> Runtime::sleep_until(base::TimePoint when) {
  Impl* impl = impl_.get();
  co_await park(*impl, [impl, when](ParkedOp* op) {
    impl->add_timer(when, [impl, op] { impl->resume(op, true); });
  });
}

std::size_t Runtime::poll() {
  FH_CHECK(impl_->manual != nullptr);
  std::size_t total = 0;
  for (;;) {
    impl_->io.restart();
    std::size_t ran = 0;
    try {
      ran = impl_->io.poll();
    } catch (...) {
      report_exception(std::current_exception(), "event loop");
      ran = 1;
    }
    ran += impl_->fire_due();
    if (ran == 0) return total;
    total += ran;
  }
}

std::optional<base::TimePoint> Runtime::next_timer() const {
  if (impl_->timers.empty()) return std::nullopt;
  return impl_->timers.begin()->first.when;
}

bool Runtime::advance_to_next_timer() {
  FH_CHECK(impl_->manual != nullptr);
  const auto next = next_timer();
  if (!next) return false;
  if (*next > impl_->clock.now()) impl_->manual->advance_to(*next);
  impl_->fire_due();
  return true;
}

// notify() sets a flag and posts at most one delivery to the loop; the waiter and its timer belong
// to the loop's thread, only `set`, `waiting` and `posted` are shared. A delivery that finds no
// waiter does nothing: the flag stays for the next wait.
struct Signal::Impl : std::enable_shared_from_this<Signal::Impl> {
  explicit Impl(Runtime& r) : runtime(r) {}

  void deliver() {
    ParkedOp* op = nullptr;
    {
      const std::scoped_lock lock(mutex);
      posted = false;
      if (!set || waiter == nullptr) return;
      set = false;
      op = std::exchange(waiter, nullptr);
    }
    if (timer != 0) runtime.cancel_timer(std::exchange(timer, 0));
    runtime.impl().resume(op, true);
  }

  void expire() {
    ParkedOp* op = nullptr;
    bool notified = false;
    timer = 0;
    {
      const std::scoped_lock lock(mutex);
      op = std::exchange(waiter, nullptr);
      if (op == nullptr) return;
      notified = std::exchange(set, false);
    }
    runtime.impl().resume(op, notified);
  }

  // Called while the coroutine suspends.
  void begin_wait(ParkedOp* op, base::TimePoint deadline) {
    bool post_now = false;
    {
      const std::scoped_lock lock(mutex);
      FH_CHECK(waiter == nullptr);
      waiter = op;
      post_now = set && !posted;
      posted = posted || post_now;
    }
    if (deadline != base::TimePoint::max()) {
      timer = runtime.call_at(deadline, [self = shared_from_this()] { self->expire(); });
    }
    if (post_now) post_delivery();
  }

  void post_delivery() {
    runtime.post([self = shared_from_this()] { self->deliver(); });
  }

  Runtime& runtime;
  std::mutex mutex;
  bool set = false;
  bool posted = false;
  ParkedOp* waiter = nullptr;  // written on the loop's thread, read under the mutex
  Runtime::TimerId timer = 0;  // loop's thread only
};

Signal::Signal(Runtime& runtime) : impl_(std::make_shared<Impl>(runtime)) {}
Signal::~Signal() = default;

void Signal::notify() {
  bool post_now = false;
  {
    const std::scoped_lock lock(impl_->mutex);
    if (impl_->set) return;
    impl_->set = true;
    post_now = impl_->waiter != nullptr && !impl_->posted;
    impl_->posted = impl_->posted || post_now;
  }
  if (post_now) impl_->post_delivery();
}

Task<bool> Signal::wait_until(base::TimePoint deadline) {
  const std::shared_ptr<Impl> impl = impl_;
  {
    const std::scoped_lock lock(impl->mutex);
    if (std::exchange(impl->set, false)) co_return true;
  }
  co_return co_await park(impl->runtime.impl(),
                          [impl, deadline](ParkedOp* op) { impl->begin_wait(op, deadline); });
}

Task<void> Signal::wait() {
  co_await wait_until(base::TimePoint::max());
}

}  // namespace fh::net
