/**
 * What the log adds up to: immutable images and the deltas between them. Image = f(latest record of
 * each key).
 */
@NullMarked
package io.fairlead.core.image;

import org.jspecify.annotations.NullMarked;
