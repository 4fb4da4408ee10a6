/** Tests of the nouns. */
@NullMarked
package io.fairlead.core.model;

import org.jspecify.annotations.NullMarked;
