# The one entry for people and CI. COMPILER: clang (default) or gcc; PRESET: any preset of CMakePresets.json.
COMPILER ?= clang
PRESET ?= $(COMPILER)
BUILD := build/$(PRESET)
JOBS ?= $(shell nproc)
QUIRE := $(BUILD)/src/main/quire
LISTEN ?= 127.0.0.1:8443
DATA ?= quire-data

.DEFAULT_GOAL := help
.PHONY: help setup-build setup-test configure build demo run test test-unit test-clients test-asan test-asan-gcc test-tsan test-bare-root fuzz test-schemathesis coverage sanitize bench bench-short lint format generate clean

help:             ## Show the targets
	@sed -n 's/^\([a-z-]*\): *.*## /  make \1  /p' $(MAKEFILE_LIST)

setup-build:
	@tools/install-packages build
setup-test:
	@tools/install-packages test

configure: setup-build
	@cmake --preset $(PRESET) >/dev/null

build: configure  ## Build the server and the test programs
	@cmake --build --preset $(PRESET) -j $(JOBS)

$(QUIRE): configure
	@cmake --build --preset $(PRESET) -j $(JOBS) --target quire
.PHONY: $(QUIRE)

demo: setup-test $(QUIRE)  ## Start a server, carry an image in and out, leave it running
	@tools/install-clients govc
	@tools/demo $(QUIRE)

run: $(QUIRE)     ## Run a server on LISTEN with the folder DATA
	@$(QUIRE) serve --data $(DATA) --listen $(LISTEN)

test: setup-test build test-unit test-clients  ## All tests

test-unit: build
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS) --timeout 1200 --no-tests=error

test-clients: $(QUIRE)
	@tools/install-clients
	@QUIRE_BINARY=$(QUIRE) build/clients/venv/bin/python -m pytest test/clients

test-schemathesis: $(QUIRE)  ## Requests made from the OpenAPI document; SCHEMATHESIS_EXAMPLES=… for more than 20 each
	@tools/install-clients venv schemathesis
	@QUIRE_BINARY=$(QUIRE) build/clients/venv/bin/python test/clients/explore_openapi.py

coverage: export QUIRE_BINARY=$(QUIRE)
coverage: export QUIRE_CALLS_FILE=$(CURDIR)/build/calls.tsv
coverage: $(QUIRE)  ## Run the client tests and write docs/api-coverage.md
	@tools/install-clients
	@tools/install-clients schemathesis
	@rm -f $(QUIRE_CALLS_FILE)
	@build/clients/venv/bin/python -m pytest -q test/clients
	@build/clients/venv/bin/python test/clients/explore_openapi.py
	@tools/api-coverage --quire $(QUIRE) --calls $(QUIRE_CALLS_FILE) >docs/api-coverage.md

sanitize: test-asan test-asan-gcc test-tsan  ## Tests under all sanitizers, and every fuzzer for a minute
	@$(MAKE) fuzz

test-asan: setup-test  ## Unit tests, suites and fault tests under ASan and UBSan
	@$(MAKE) PRESET=clang-asan test-unit

test-asan-gcc: setup-test  ## The same with g++
	@$(MAKE) PRESET=gcc-asan test-unit

# What runs threads: the network, the services on real adapters, the suites of the ports, background work.
THREADED := http_test unit_test fault_test catalog_suite blob_store_suite work_test
empty :=
test-tsan: setup-test  ## Network, services, suites and fault tests under TSan
	@$(MAKE) PRESET=clang-tsan configure
	@cmake --build --preset clang-tsan -j $(JOBS) --target $(THREADED)
	@ctest --test-dir build/clang-tsan --output-on-failure -j $(JOBS) --timeout 1200 --no-tests=error \
	  -R '^($(subst $(empty) $(empty),|,$(THREADED)))'

fuzz: setup-build  ## Each fuzzer for FUZZ_SECONDS (60), from its kept corpus
	@$(MAKE) PRESET=clang-asan configure
	@cmake --build --preset clang-asan -j $(JOBS) --target fuzzers
	@JOBS=$(JOBS) tools/fuzz

test-bare-root:   ## Both commands of the README on a bare Debian 12 (needs root and mmdebstrap)
	@tools/bare-root-test

bench: setup-test build  ## Inner pieces; Quire beside nginx, caddy and vcsim, into docs/performance.md (about 15 minutes)
	@tools/install-clients vcsim
	@tools/install-peers
	@$(BUILD)/bench/quire_bench
	@python3 bench/run.py --build $(BUILD) --document docs/performance.md

bench-short: setup-test configure  ## Whether all of bench/run.py runs; its figures mean nothing
	@tools/install-clients vcsim
	@tools/install-peers
	@cmake --build --preset $(PRESET) -j $(JOBS) --target quire quire_load quire_seed
	@python3 bench/run.py --build $(BUILD) --short

lint: setup-test configure  ## Formatting, clang-tidy, include permissions, references
	@PRESET=$(PRESET) JOBS=$(JOBS) tools/lint

format:           ## Format all C++ sources
	@git ls-files -z '*.h' '*.cpp' | xargs -0 clang-format-19 -i

generate: $(QUIRE)  ## Write the documents that are made from the code
	@$(QUIRE) openapi >docs/openapi.json
	@$(QUIRE) config --print-document >docs/settings.md

clean:            ## Remove what was built
	@rm -rf build
