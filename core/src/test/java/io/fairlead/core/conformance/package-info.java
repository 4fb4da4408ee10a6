/** Rows of facts about Kubernetes that tests are held against. */
@NullMarked
package io.fairlead.core.conformance;

import org.jspecify.annotations.NullMarked;
