# Two commands are all a newcomer needs: `make run` and `make test`. Everything else is listed by `make help`.
.PHONY: help run test build test-long test-sanitizers soak bench format clean
help:
	@echo "make run        set up this machine, build, start Freehold and ask it one question (MODEL=coder for the coder model)"
	@echo "make test       set up, build, run every test of a commit"
	@echo "make build      build only: the release binary is build/freehold"
	@echo "make test-long  the long tests: coder model, coding clients, 200 kill rounds, 100,000 simulation seeds"
	@echo "make test-sanitizers  unit tests and simulation under the checkers for memory, undefined behaviour and threads"
	@echo "make soak       30 minutes of mixed load; memory must stay flat"
	@echo "make bench      every claim about speed, each as a ratio measured in one run"
	@echo "make format     format the C++ sources"
	@echo "make clean      remove the build folders (the cache of fetched and built third-party code stays)"
run:
	@scripts/bootstrap run
	@scripts/build release freehold
	@scripts/run
build:
	@scripts/bootstrap run
	@scripts/build release freehold
test:
	@scripts/bootstrap test
	@scripts/test
test-long:
	@MODEL=coder OFFICE=1 scripts/bootstrap test
	@scripts/test --long
test-sanitizers:
	@scripts/bootstrap test
	@scripts/test_sanitizers
soak:
	@scripts/bootstrap test
	@scripts/test --soak
bench:
	@scripts/bootstrap test
	@scripts/bench
format:
	@git ls-files -co --exclude-standard -- 'src/*.cc' 'src/*.h' 'tests/*.cc' 'tests/*.h' 'bench/*.cc' | \
	  while read -r file; do [ -e "$$file" ] && echo "$$file"; done | xargs -r clang-format-19 -i
clean:
	rm -rf build build-dev build-asan build-tsan build-fuzz console/dist console/dist-plan
