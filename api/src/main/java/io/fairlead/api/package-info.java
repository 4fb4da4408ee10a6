/** Fairlead.v1 to and from the model, Kubernetes manifests, tables, error texts. */
@NullMarked
package io.fairlead.api;

import org.jspecify.annotations.NullMarked;
