/** Kubernetes manifests: YAML and JSON to and from the messages of the API. */
@NullMarked
package io.fairlead.api.manifest;

import org.jspecify.annotations.NullMarked;
