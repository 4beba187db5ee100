/**
 * The shapes of what is drawn and of how it is seen; comments only. Lengths are CSS pixels where nothing else is said.
 *
 * @typedef {{left: number, top: number, width: number, height: number}} Area
 * @typedef {{min: number[], max: number[]}} Box of coordinates
 * @typedef {{x: number, y: number, z: number}} Point3
 * @typedef {{dims: 2, x: number[], y: number[]}} Camera2
 * @typedef {{dims: 3, eye: Point3, center: Point3, up: Point3, projection?: {type: string}}} Camera3
 * @typedef {Camera2 | Camera3} Camera see camera.js
 *
 * @typedef {object} Picture
 * @property {number} width
 * @property {number} height
 * @property {number} scale picture pixels a CSS pixel
 * @property {Uint32Array} pixels little-endian RGBA
 * @property {Uint8ClampedArray<ArrayBuffer>} bytes the same memory
 *
 * @typedef {object} Points
 * @property {Float32Array} xy (n, 2)
 * @property {Uint32Array | number} colors opaque RGBA a point, or one for all
 * @property {Int32Array | null} order which points, in order of drawing; null: all
 * @property {Uint8Array | null} levels
 * @property {Uint8Array | null} visible
 * @property {Int32Array | null} [rows] the row of each, where they do not lie in the order of rows
 *
 * @typedef {object} Stamp
 * @property {number} reach
 * @property {Int32Array} dx
 * @property {Int32Array} dy
 * @property {Int32Array} cover
 * @property {Int32Array | null} offsets
 *
 * @typedef {object} Atlas a sheet scaled to a tile size
 * @property {number} tileWidth
 * @property {number} tileHeight
 * @property {number} columns
 * @property {number} count
 * @property {number} stride its width in pixels
 * @property {Uint8Array | null} ink 0 .. 255 is how much of the color is laid on
 * @property {Uint32Array | null} photo
 *
 * @typedef {object} Sprite
 * @property {number} tileWidth
 * @property {number} tileHeight
 * @property {number} columns
 * @property {boolean} ink
 * @property {boolean} [light] whether the ground of ink is
 * @property {number} [inkShare] how much of a tile is ink
 *
 * @typedef {{name: string, count: number, color: string, code: number, rest?: boolean}} LegendEntry
 * @typedef {object} Legend
 * @property {'none' | 'categories' | 'gradient' | 'faults' | 'distance'} kind
 * @property {string} [color] where the points have one
 * @property {LegendEntry[]} [entries] of categories, and of faults
 * @property {number} [low] of a gradient, as all that follows
 * @property {number} [high] of faults and distances too
 * @property {number} [middle]
 * @property {number} [missing]
 * @property {string[]} [stops]
 * @property {string} [rest]
 * @property {'linear' | 'log'} [scale]
 * @property {number} [row] which distances are from, as all that follows
 * @property {'distance' | 'rank' | 'listed'} [by]
 * @property {boolean} [isCut] whether some are farther than the end of the scale
 * @property {number} [count] of the points that the scale is of
 * @property {string} [told] what else there is to say
 */
export {};
