/** Tests of what nodes use. */
@NullMarked
package io.fairlead.core.view;

import org.jspecify.annotations.NullMarked;
