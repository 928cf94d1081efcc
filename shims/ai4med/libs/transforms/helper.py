"""Legacy path of the functions on arrays for transforms."""

from clara_compat.common.transform_helper import create_matrix_rotation_2d as create_matrix_rotation_2d
from clara_compat.common.transform_helper import create_matrix_rotation_x_3d as create_matrix_rotation_x_3d
from clara_compat.common.transform_helper import create_matrix_rotation_y_3d as create_matrix_rotation_y_3d
from clara_compat.common.transform_helper import create_matrix_rotation_z_3d as create_matrix_rotation_z_3d
from clara_compat.common.transform_helper import crop_image as crop_image
from clara_compat.common.transform_helper import (
    find_random_foreground_or_background as find_random_foreground_or_background,
)
from clara_compat.common.transform_helper import (
    find_random_foreground_or_background_naive as find_random_foreground_or_background_naive,
)
from clara_compat.common.transform_helper import largest_connected_component as largest_connected_component
from clara_compat.common.transform_helper import pad_if_needed as pad_if_needed
from clara_compat.common.transform_helper import pad_to_minimal_size as pad_to_minimal_size
