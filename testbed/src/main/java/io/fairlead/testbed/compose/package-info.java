/** The Compose deployment as its users have it, under a project name of a test's own. */
@NullMarked
package io.fairlead.testbed.compose;

import org.jspecify.annotations.NullMarked;
