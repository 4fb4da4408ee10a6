/** What one node, or one DNS server, uses: pure functions of an image. */
@NullMarked
package io.fairlead.core.view;

import org.jspecify.annotations.NullMarked;
