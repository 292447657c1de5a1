#pragma once
// The system call filters of the roles (seccomp(2), built with libseccomp). Used by sandbox.cc
// alone; sandbox.h says what each role may not do.

#include "base/result.h"

namespace fh::base::os {

Status install_gateway_filter();
// `writes_refused`: opening for writing is refused too.
Status install_worker_filter(bool writes_refused);
Status install_no_open_filter();

}  // namespace fh::base::os
