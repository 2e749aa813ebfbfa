#include "suites/catalog_suite.h"
