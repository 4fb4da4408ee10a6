/** Where Pods of this node come from: manifests in a directory. */
@NullMarked
package io.fairlead.agent.source;

import org.jspecify.annotations.NullMarked;
