/** Pods as processes of this machine. */
@NullMarked
package io.fairlead.standalone.pods;

import org.jspecify.annotations.NullMarked;
