// See together.h.
#include "engine/together.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"

namespace fh::engine {
namespace {

struct PutOff {
  const void* who;
  std::function<void()> action;
};

struct OfThread {
  int depth = 0;
  std::vector<PutOff> actions;
};

OfThread& here() {
  thread_local OfThread state;
  return state;
}

}  // namespace

Together::Together() {
  ++here().depth;
}

Together::~Together() {
  OfThread& state = here();
  if (--state.depth > 0) return;
  for (const PutOff& put_off : std::exchange(state.actions, {})) put_off.action();
}

bool Together::open() {
  return here().depth > 0;
}

void Together::at_end(const void* who, std::function<void()> action) {
  FH_CHECK(open());
  std::vector<PutOff>& actions = here().actions;
  const bool known =
      std::any_of(actions.begin(), actions.end(), [who](const PutOff& p) { return p.who == who; });
  if (!known) actions.push_back({who, std::move(action)});
}

}  // namespace fh::engine
