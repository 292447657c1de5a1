#pragma once
// How much a thread's work matters beside that of others on the same cores.

namespace fh::base::os {

// The calling thread's work can wait: whoever else wants the core gets it soon. Nice 10 (a tenth of
// a core where all are busy), and on kernels that know it (6.12) a slice of 0.1 ms, so that a
// thread that is woken beside it does not wait for the end of a whole slice. Cannot fail in a way
// that matters: without it work is only less well ordered.
void give_way_to_others();

}  // namespace fh::base::os
