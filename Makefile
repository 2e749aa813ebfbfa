# The one entry for people and CI. COMPILER: clang (default) or gcc; PRESET: any preset of CMakePresets.json.
COMPILER ?= clang
PRESET ?= $(COMPILER)
BUILD := build/$(PRESET)
JOBS ?= $(shell nproc)
QUIRE := $(BUILD)/src/main/quire
LISTEN ?= 127.0.0.1:8443
DATA ?= quire-data

.DEFAULT_GOAL := help
.PHONY: help setup-build setup-test setup-package configure build demo run test test-unit test-gcc clients clients-all test-clients test-browser test-asan test-asan-gcc test-tsan test-bare-root package test-package test-package-short fuzz test-schemathesis coverage sanitize bench bench-page bench-short lint format generate screenshots clean

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

test: setup-test build test-unit clients test-browser  ## All tests

test-unit: build
	@tools/install-clients versitygw
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS) --timeout 2400 --no-tests=error $(if $(WITHOUT),-E '$(WITHOUT)')

# What runs the services on PostgreSQL again is left to `make test`; the suites of the ports run on both.
AGAIN := (unit|fault)_test_postgresql
test-gcc: setup-test  ## Unit tests, suites and fault tests with g++
	@$(MAKE) PRESET=gcc-check test-unit WITHOUT='$(AGAIN)'

# Each worker has servers of its own; one more than processors, because much of the time is waiting.
CLIENT_WORKERS = -n $$(($(JOBS) + 1)) --dist loadfile
test-clients: clients
clients: $(QUIRE)  ## The program with the real clients that every change is tested with
	@tools/install-clients
	@tools/install-promtool
	@QUIRE_BINARY=$(QUIRE) build/clients/venv/bin/python -m pytest $(CLIENT_WORKERS) test/clients

clients-all: $(QUIRE)  ## The same with all clients: further Ansible collections, OpenTofu (TF_PROVIDER_VSPHERE), long Schemathesis
	@tools/install-clients
	@QUIRE_BINARY=$(QUIRE) build/clients/venv/bin/python -m pytest $(CLIENT_WORKERS) test/clients -m ''
	@$(MAKE) test-schemathesis SCHEMATHESIS_EXAMPLES=$${SCHEMATHESIS_EXAMPLES:-40} SCHEMATHESIS_REQUESTS=20000

# Each worker has servers and a browser of its own; browsers keep a processor busy.
BROWSER_WORKERS = -n $(JOBS) --dist loadfile
test-browser: setup-test $(QUIRE)  ## The web page in a real browser
	@tools/install-clients venv
	@QUIRE_BINARY=$(QUIRE) build/clients/venv/bin/python -m pytest $(BROWSER_WORKERS) test/browser

test-schemathesis: $(QUIRE)  ## Requests made from the OpenAPI document; SCHEMATHESIS_EXAMPLES=… for more than 20 each
	@tools/install-clients venv schemathesis
	@QUIRE_BINARY=$(QUIRE) build/clients/venv/bin/python test/clients/explore_openapi.py

coverage: export QUIRE_BINARY=$(QUIRE)
coverage: export QUIRE_CALLS_FILE=$(CURDIR)/build/calls.tsv
coverage: $(QUIRE)  ## Run the client tests and write docs/api-coverage.md
	@tools/install-clients
	@tools/install-clients schemathesis
	@rm -f $(QUIRE_CALLS_FILE)
	@build/clients/venv/bin/python -m pytest -q $(CLIENT_WORKERS) test/clients
	@build/clients/venv/bin/python test/clients/explore_openapi.py
	@tools/api-coverage --quire $(QUIRE) --calls $(QUIRE_CALLS_FILE) >docs/api-coverage.md

sanitize: test-asan test-asan-gcc test-tsan  ## Tests under all sanitizers, and every fuzzer for a minute
	@$(MAKE) fuzz

test-asan: setup-test  ## Unit tests, suites and fault tests under ASan and UBSan
	@$(MAKE) PRESET=clang-asan test-unit WITHOUT='$(AGAIN)'

test-asan-gcc: setup-test  ## The same with g++
	@$(MAKE) PRESET=gcc-asan test-unit WITHOUT='$(AGAIN)'

# What runs threads: the network, the services on real adapters, the suites of the ports, background work.
THREADED := http_test unit_test fault_test catalog_suite blob_store_suite object_store_suite adapters_s3_test adapters_objects_test work_test
empty :=
test-tsan: setup-test  ## Network, services, suites and fault tests under TSan
	@$(MAKE) PRESET=clang-tsan configure
	@cmake --build --preset clang-tsan -j $(JOBS) --target $(THREADED)
	@ctest --test-dir build/clang-tsan --output-on-failure -j $(JOBS) --timeout 2400 --no-tests=error \
	  -R '^($(subst $(empty) $(empty),|,$(THREADED)))' -E '$(AGAIN)'

fuzz: setup-build  ## Each fuzzer for FUZZ_SECONDS (60), from its kept corpus
	@$(MAKE) PRESET=clang-asan configure
	@cmake --build --preset clang-asan -j $(JOBS) --target fuzzers
	@JOBS=$(JOBS) tools/fuzz

setup-package:
	@tools/install-packages package

package: setup-package  ## Build the Debian package into build/package
	@tools/make-package

test-package: setup-package  ## Install, use, upgrade, remove and purge the package in a bare Debian 12 (needs root)
	@tools/package-test

test-package-short: setup-package $(QUIRE)  ## Package what PRESET has built, as it is, and test that as far as this machine can
	@tools/make-package --from-build $(BUILD)
	@tools/package-test --if-possible $(BUILD)/package

test-bare-root:   ## Both commands of the README on a bare Debian 12 (needs root and mmdebstrap)
	@tools/bare-root-test

bench: setup-test build  ## Inner pieces; Quire beside nginx, caddy, vcsim, curl and rclone, into docs/performance.md (about 15 minutes)
	@tools/install-clients vcsim versitygw
	@tools/install-peers
	@$(BUILD)/bench/quire_bench
	@python3 bench/run.py --build $(BUILD) --document docs/performance.md

bench-page: setup-test configure  ## The web page: size, first view, scrolling, uploads beside a bare page to nginx (about 3 minutes)
	@tools/install-clients venv
	@tools/install-peers
	@cmake --build --preset $(PRESET) -j $(JOBS) --target quire quire_seed
	@build/clients/venv/bin/python bench/page.py --build $(BUILD)

bench-short: setup-test configure  ## Whether all of bench/run.py and bench/page.py runs; the figures mean nothing
	@tools/install-clients venv vcsim versitygw
	@tools/install-peers
	@cmake --build --preset $(PRESET) -j $(JOBS) --target quire quire_load quire_seed
	@python3 bench/run.py --build $(BUILD) --short
	@build/clients/venv/bin/python bench/page.py --build $(BUILD) --short

lint: setup-test configure  ## Formatting, clang-tidy, include permissions, references
	@PRESET=$(PRESET) JOBS=$(JOBS) tools/lint

format:           ## Format all C++ sources
	@git ls-files -z '*.h' '*.cpp' | xargs -0 clang-format-19 -i

generate: $(QUIRE)  ## Write the documents that are made from the code
	@$(QUIRE) openapi >docs/openapi.json
	@$(QUIRE) config --print-document >docs/settings.md

screenshots: setup-test $(QUIRE)  ## Take the pictures of docs/screenshots anew
	@tools/install-clients venv
	@QUIRE_BINARY=$(QUIRE) QUIRE_SCREENSHOTS=docs/screenshots build/clients/venv/bin/python -m pytest -q -n 2 test/browser/test_screenshots.py

clean:            ## Remove what was built
	@rm -rf build
