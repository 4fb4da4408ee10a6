/** The stream to the control plane, and the loop that brings what it says to disk and kernel. */
@NullMarked
package io.fairlead.agent.stream;

import org.jspecify.annotations.NullMarked;
