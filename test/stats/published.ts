/** Data that others have published together with results. */

/** Soporific effect of two drugs, hours of sleep gained. @see Student 1908; R `sleep` */
export const SLEEP = {
  first: [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
  second: [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
}

/** Daily ozone in New York, May to September 1973, days with a reading; many ties.
 *  @see Chambers et al. 1983; R `airquality` */
export const OZONE = {
  may: [41, 36, 12, 18, 28, 23, 19, 8, 7, 16, 11, 14, 18, 14, 34, 6, 30, 11, 1, 11, 4, 32, 23, 45, 115, 37],
  june: [29, 71, 39, 23, 21, 37, 20, 12, 13],
  july: [
    135, 49, 32, 64, 40, 77, 97, 97, 85, 10, 27, 7, 48, 35, 61, 79, 63, 16, 80, 108, 20, 52, 82, 50, 64, 59,
  ],
  august: [
    39, 9, 16, 78, 35, 66, 122, 89, 110, 44, 28, 65, 22, 59, 23, 31, 44, 21, 9, 45, 168, 73, 76, 118, 84, 85,
  ],
  september: [
    96, 78, 73, 91, 47, 32, 20, 23, 21, 24, 44, 21, 28, 9, 13, 46, 18, 13, 24, 16, 13, 23, 36, 7, 14, 30, 14,
    18, 20,
  ],
}

/** Resistance of wafers by instrument. @see NIST StRD, SiRstv */
export const WAFERS = [
  [196.3052, 196.124, 196.189, 196.2569, 196.3403],
  [196.3042, 196.3825, 196.1669, 196.3257, 196.0422],
  [196.1303, 196.2005, 196.2889, 196.0343, 196.1811],
  [196.2795, 196.1748, 196.1494, 196.1485, 195.9885],
  [196.2119, 196.1051, 196.185, 196.0052, 196.209],
]

/** Growth of guinea pigs' teeth by source of vitamin C and dose (mg a day): balanced.
 *  @see Crampton 1947; R `ToothGrowth` */
export const TEETH = {
  VC: {
    0.5: [4.2, 11.5, 7.3, 5.8, 6.4, 10, 11.2, 11.2, 5.2, 7],
    1: [16.5, 16.5, 15.2, 17.3, 22.5, 17.3, 13.6, 14.5, 18.8, 15.5],
    2: [23.6, 18.5, 33.9, 25.5, 26.4, 32.5, 26.7, 21.5, 23.3, 29.5],
  },
  OJ: {
    0.5: [15.2, 21.5, 17.6, 9.7, 14.5, 10, 8.2, 9.4, 16.5, 9.7],
    1: [19.7, 23.3, 23.6, 26.4, 20, 25.2, 25.8, 21.2, 14.5, 27.3],
    2: [25.5, 26.4, 22.4, 24.5, 24.8, 30.9, 26.4, 27.3, 29.4, 23],
  },
}

/** Horsepower of cars by number of cylinders and gearbox: unbalanced. @see Henderson & Velleman 1981; R `mtcars` */
export const CARS = {
  4: { automatic: [62, 95, 97], manual: [93, 66, 52, 65, 66, 91, 113, 109] },
  6: { automatic: [110, 105, 123, 123], manual: [110, 110, 175] },
  8: { automatic: [175, 245, 180, 180, 180, 205, 215, 230, 150, 150, 245, 175], manual: [264, 335] },
}
