/**
 * One colour for each SFV, the same in outlines, map and table. The most important eight are far apart for colour-blind readers
 * too [Okabe08]; the others turn round the hue circle by the golden angle at three lightnesses. With many SFVs colours
 * come close: numbers and highlighting tell them apart.
 */
const FIRST = ['#e69f00', '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#f0e442', '#8a6d00'];
const GOLDEN_ANGLE = 2.399963229728653;
const LIGHTNESS = [0.68, 0.55, 0.8];
const CHROMA = 0.12;

/** Colour "#rrggbb" of the SFV at a place in the order of importance, 0 the most important. */
export function sfvColour(place: number): string {
  if (place < FIRST.length) return FIRST[place];
  const i = place - FIRST.length;
  return oklch(LIGHTNESS[i % LIGHTNESS.length], CHROMA, 0.6 + i * GOLDEN_ANGLE);
}

/** OKLCH (lightness 0..1, chroma, hue in radians) as sRGB "#rrggbb", clipped (B. Ottosson, "A perceptual color space for image processing", 2020). */
function oklch(lightness: number, chroma: number, hue: number): string {
  const a = chroma * Math.cos(hue);
  const b = chroma * Math.sin(hue);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return `#${linear
    .map((v) => {
      const c = Math.max(0, Math.min(1, v));
      const coded = c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055;
      return Math.round(255 * coded)
        .toString(16)
        .padStart(2, '0');
    })
    .join('')}`;
}
