/**
 * The shapes of what the plot is given and draws; comments only. Lengths are CSS pixels.
 *
 * @import { AxisTitle, Grid, Mode } from '#js/data/types.js'
 * @import { Area, Box, Camera, Picture, Sprite } from '#js/drawing/types.js'
 * @import { Cell } from '#js/plot/cells.js'
 * @import { Gestures } from '#js/plot/gestures.js'
 * @import { PointLayer } from '#js/plot/layer.js'
 * @import { Names } from '#js/plot/names.js'
 * @import { Plates } from '#js/plot/marks.js'
 * @import { Axes } from '#js/plot/plotly.js'
 * @import { Surface, Timing } from '#js/plot/surface.js'
 *
 * @typedef {{coordinates: Float32Array, n: number, dims: number, axes: AxisTitle[] | null,
 *   around?: Float32Array[], grain?: number}} Scene `around` are the places of all points that the view is to hold, of
 *   other plots too; `grain` is the step that coordinates were rounded to, 0 for none
 *
 * @typedef {Sprite & {image: ImageBitmap | OffscreenCanvas, tile: (row: number) => number,
 *   cut?: ((tile: number) => Promise<CanvasImageSource>) | null}} Sheet of thumbnails
 *
 * @typedef {{background: string, grid: string, text: string, muted: string, accent: string}} Chrome colors
 *
 * @typedef {{color: string, lines: Float32Array[]}} Contour of a class, closed lines in the units of the coordinates
 *
 * @typedef {object} Style
 * @property {Uint8Array | null} colors RGBA a row; null: the accent
 * @property {boolean} oneColor
 * @property {Uint8Array | null} visible 0 where a point is hidden
 * @property {Int32Array} selected
 * @property {boolean} fades whether the others step back where some are selected
 * @property {Int32Array} neighbors nearest first
 * @property {ArrayLike<number>} distances of the neighbors
 * @property {number} hovered -1 where no point is
 * @property {(row: number) => string} label
 * @property {'few' | 'many' | 'none'} labelled
 * @property {string} caption what may be read from the picture; '' for none
 * @property {string} captions those of all plots that are seen by one camera, a line each
 * @property {string} name of the map, which saved pictures say; '' for none
 * @property {Sheet | null} sprite
 * @property {boolean} thumbnails
 * @property {{row: number, radius: number} | null} sphere
 * @property {Int32Array[] | null} paths sequences
 * @property {Group[] | null} groups that may be named, null for none
 * @property {{row: number, places: Float32Array}[] | null} trails (m, dims) places of a point, the last where it is
 * @property {Contour[] | null} contours null for none
 * @property {Grid | null} density of all points, null for none
 * @property {boolean} dark
 * @property {Chrome} chrome
 *
 * @typedef {object} Spec all that a drawing depends on
 * @property {Scene} scene
 * @property {Style} style
 * @property {any} transform for project2 or project3 of camera.js
 * @property {Area} area
 * @property {number} width
 * @property {number} height
 * @property {number} shown how many points are not hidden
 * @property {any} view a Camera, of 2 or 3 dimensions as the scene is
 * @property {Box} box
 * @property {number[] | null} aspect
 * @property {number} magnification
 * @property {Foot} foot
 *
 * @typedef {{height: number, lines: string[]}} Foot the strip below the points with the caption's lines
 *
 * @typedef {object} Look how points look in a view
 * @property {number} radius of discs
 * @property {number} opacity of one disc
 * @property {number} strength of all that are drawn in one picture: less than 1 where they step back
 * @property {number} tile the longer side of thumbnails; 0: discs
 * @property {number} count in sight
 * @property {number} fade with depth
 * @property {boolean} dims whether those that are not selected step back
 * @property {Grid | null} ground the density of all points, where it is drawn
 *
 * @typedef {object} Group what may be named in the picture
 * @property {string} key
 * @property {string} column
 * @property {string} value of its points in that column
 * @property {string} text its name
 * @property {number} level 0 for the coarsest
 * @property {boolean} finest
 * @property {number} size how many of its points are shown
 * @property {Int32Array} rows those of them that say where it lies
 * @property {string} title what is said of it
 *
 * @typedef {{kind: 'neighbor' | 'selected', rows: Int32Array, radius: number, ring: number, color: string}} Mark
 *
 * @typedef {object} Label
 * @property {number} row
 * @property {string} source
 * @property {string} text
 * @property {number} side
 * @property {number} gap
 * @property {string} kind
 * @property {number} width
 * @property {number} height
 *
 * @typedef {object} Parts what a drawing by other means than pixels is made of
 * @property {Spec} spec
 * @property {Look} look
 * @property {(context: any, scale: number) => void} below draws what lies under the points
 * @property {(context: any, scale: number) => void} above
 * @property {Int32Array} order rows in the order of drawing, in 3D far to near
 * @property {(rows: Int32Array) => Int32Array} arrange some rows in the order of drawing
 * @property {Float32Array} xy
 *
 * @typedef {object} Plotting the plot, see plot.js
 * @property {Shown} scene
 * @property {Seen} view
 * @property {PlotHost} host
 *
 * @typedef {object} Shown what the page gives to the plot
 * @property {Scene} points
 * @property {Style} style
 * @property {Box | null} box
 * @property {number} shown
 * @property {Label[]} labels those that the last resting picture has
 * @property {Cell | null} cell under the pointer, where the density of all points is drawn
 *
 * @typedef {object} Seen
 * @property {number} width
 * @property {number} height
 * @property {Area | null} area
 * @property {Foot} foot
 * @property {boolean} equal one scale on both axes
 * @property {number[] | null} aspect
 * @property {Camera | null} camera
 * @property {Camera | null} home
 * @property {any} transform of the last drawing
 * @property {Look | null} look of the last drawing
 *
 * @typedef {object} PlotHost
 * @property {HTMLElement} element
 * @property {PlotListeners} on
 * @property {Surface} surface
 * @property {Axes} axes Plotly's
 * @property {Timing} frames
 * @property {PointLayer} layer
 * @property {Plates} plates
 * @property {Names} names
 * @property {Gestures} gestures
 * @property {(message: string) => void} tellOnce
 *
 * @typedef {object} PlotListeners
 * @property {(row: number, clientX?: number, clientY?: number, plot?: number) => void} [hover] row is -1 where none is
 * @property {(row: number, mode: Mode, plot?: number) => void} [click]
 * @property {(rows: Int32Array, mode: Mode, plot?: number) => void} [select]
 * @property {(group: Group, mode: Mode, plot?: number) => boolean | void} [name] a name was clicked;
 *   false where the click is for the point below
 * @property {(text: string) => void} [told] what the cross-hair that keys move is over
 * @property {(camera: Camera, settled: boolean) => void} [camera]
 * @property {() => void} [measured] its size has changed
 * @property {(message: string) => void} [unsupported]
 */
export {};
