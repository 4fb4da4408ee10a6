/** Tests of the image, and objects for the tests of others. */
@NullMarked
package io.fairlead.core.image;

import org.jspecify.annotations.NullMarked;
